'use client';

import { HistogramSeries, type IChartApi } from 'lightweight-charts';
import { useCallback, useMemo, useState } from 'react';

import { usePreferences } from '../shell/preferences';
import { texts, useText } from '../text/text';
import { Chart, type ChartColours } from '../ui/Chart';
import { Ratio, SignedWon } from '../ui/figures';
import { Choice } from '../ui/form';
import { Panel } from '../ui/Panel';
import { CHART_HEIGHT, DAYS, fit, PERCENT, SIGNED_WON } from './chartOptions';
import type { Day } from './performance';
import css from './charts.module.css';

const TEXT = texts(
  {
    title: 'Daily P&L',
    shown: 'What the bars show',
    return: 'Return',
    realized: 'Realised',
    label: (what: string, count: number) => `${what} of ${count} days as bars; the table of days has the figures`,
    none: 'No day has a return yet: it takes the equity of two sessions in a row.',
    noneRealized: 'Nothing was closed in this period.',
    best: 'Best day',
    worst: 'Worst day',
  },
  {
    title: '일별 손익',
    shown: '표시 항목',
    return: '수익률',
    realized: '실현손익',
    label: (what: string, count: number) => `${count}일의 ${what} 막대. 수치는 일별 표에 있습니다`,
    none: '아직 수익률이 있는 날이 없습니다. 연속한 두 거래일의 자산이 필요합니다.',
    noneRealized: '이 기간에 청산된 포지션이 없습니다.',
    best: '최고',
    worst: '최저',
  },
);

/** What each day brought: its return, or the results of what was closed on it. */
export function DailyPanel({ days }: { days: readonly Day[] }) {
  const text = useText(TEXT);
  const { language } = usePreferences();
  const [shown, setShown] = useState<'return' | 'realized'>('return');
  const bars = useMemo(
    () =>
      days.flatMap((day) => {
        const value = shown === 'return' ? day.return : day.realized_pnl;
        return value == null || (shown === 'realized' && value === 0) ? [] : [{ time: day.day, value }];
      }),
    [days, shown],
  );
  const said = JSON.stringify(bars);
  const draw = useCallback(
    (chart: IChartApi, colours: ChartColours) => {
      const rows = JSON.parse(said) as typeof bars;
      const series = chart.addSeries(HistogramSeries, { priceFormat: shown === 'return' ? PERCENT : SIGNED_WON, priceLineVisible: false, lastValueVisible: false });
      series.setData(rows.map((bar) => ({ ...bar, color: bar.value < 0 ? colours.down : colours.up })));
      fit(chart, colours, language);
    },
    [said, shown, language],
  );
  const sorted = [...bars].sort((a, b) => a.value - b.value);
  const [worst, best] = [sorted[0], sorted.at(-1)];
  const figure = (value: number) => (shown === 'return' ? <Ratio value={value} isSigned /> : <SignedWon value={value} />);
  return (
    <Panel
      title={text.title}
      actions={
        <Choice
          label={text.shown}
          at={shown}
          onChange={setShown}
          options={[
            { value: 'return', label: text.return },
            { value: 'realized', label: text.realized },
          ]}
        />
      }
      empty={bars.length > 0 ? null : shown === 'return' ? text.none : text.noneRealized}
    >
      {best !== undefined && worst !== undefined && (
        <dl className={css.legend}>
          <div>
            <dt>
              {text.best} {best.time}
            </dt>
            <dd>{figure(best.value)}</dd>
          </div>
          <div>
            <dt>
              {text.worst} {worst.time}
            </dt>
            <dd>{figure(worst.value)}</dd>
          </div>
        </dl>
      )}
      <Chart label={text.label(shown === 'return' ? text.return : text.realized, bars.length)} height={CHART_HEIGHT} options={DAYS} draw={draw} />
    </Panel>
  );
}
