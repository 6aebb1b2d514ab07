/** What the charts of this page have in common. */

import type { ChartOptions, DeepPartial, IChartApi } from 'lightweight-charts';

import { unitsOf } from '../money/decimal';
import { formatSignedWon, formatWon } from '../money/format';
import type { Language } from '../shell/preferences';
import type { ChartColours } from '../ui/Chart';

/** Days as they are: nothing is dragged or zoomed, the period above chooses. */
export const DAYS: DeepPartial<ChartOptions> = {
  handleScroll: false,
  handleScale: false,
  localization: { dateFormat: 'yyyy-MM-dd' },
};

export const CHART_HEIGHT = 348;

/** Fits the days into the chart, in the colours of the theme and the language of the user. */
export function fit(chart: IChartApi, colours: ChartColours, language: Language): void {
  chart.applyOptions({
    localization: { locale: language },
    layout: { panes: { separatorColor: colours.line, separatorHoverColor: colours.line, enableResize: false } },
    timeScale: { timeVisible: false, fixLeftEdge: true, fixRightEdge: true },
  });
  chart.timeScale().fitContent();
}

function percentText(value: number): string {
  const shown = (value * 100).toFixed(2);
  return `${shown === '-0.00' ? '0.00' : shown.replace('-', '−')} %`;
}

/** Ratios as percentages, and amounts in whole won, at the axis. */
export const PERCENT = { type: 'custom' as const, minMove: 0.0001, formatter: percentText };
export const WON = { type: 'custom' as const, minMove: 1, formatter: (value: number) => formatWon(unitsOf(Math.round(value))) };
export const SIGNED_WON = { type: 'custom' as const, minMove: 1, formatter: (value: number) => formatSignedWon(unitsOf(Math.round(value))) };
