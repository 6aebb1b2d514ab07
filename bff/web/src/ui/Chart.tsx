'use client';

import { createChart, type DeepPartial, type IChartApi, type ChartOptions } from 'lightweight-charts';
import { useEffect, useRef } from 'react';

import { usePreferences } from '../shell/preferences';
import css from './Chart.module.css';

/** Colours of the theme, read from the document, for charts that are drawn on a canvas. */
export interface ChartColours {
  up: string;
  down: string;
  text: string;
  muted: string;
  line: string;
  accent: string;
  good: string;
  warn: string;
  danger: string;
}

function colours(): ChartColours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    up: of('--up'),
    down: of('--down'),
    text: of('--text'),
    muted: of('--muted'),
    line: of('--line'),
    accent: of('--accent'),
    good: of('--good'),
    warn: of('--warn'),
    danger: of('--danger'),
  };
}

interface ChartProps {
  /** What the chart shows, in words, for whoever does not see it. */
  label: string;
  height: number;
  options?: DeepPartial<ChartOptions>;
  /** Draws the series; called anew when `draw` or the theme changes. Returns what ends what it began. */
  draw: (chart: IChartApi, colours: ChartColours) => (() => void) | void;
}

/** A chart in the colours of the theme. `draw` must be stable (useCallback) while nothing changes. */
export function Chart({ label, height, options, draw }: ChartProps) {
  const frame = useRef<HTMLDivElement>(null);
  const { theme, colours: sides } = usePreferences();
  useEffect(() => {
    if (frame.current === null) return;
    const shown = colours();
    const chart = createChart(frame.current, {
      autoSize: true,
      layout: {
        background: { color: 'transparent' },
        textColor: shown.muted,
        fontSize: 11,
        // A link in a picture is hard to reach: it stands below.
        attributionLogo: false,
      },
      grid: { vertLines: { color: shown.line }, horzLines: { color: shown.line } },
      rightPriceScale: { borderColor: shown.line },
      timeScale: { borderColor: shown.line, timeVisible: true, secondsVisible: false },
      ...options,
    });
    const end = draw(chart, shown);
    return () => {
      if (typeof end === 'function') end();
      chart.remove();
    };
  }, [draw, options, theme, sides]);
  return (
    <div className={css.frame}>
      <div ref={frame} role="img" aria-label={label} className={css.chart} style={{ height }} />
      <a className={css.maker} href="https://www.tradingview.com/" target="_blank" rel="noreferrer">
        TradingView Lightweight Charts™
      </a>
    </div>
  );
}
