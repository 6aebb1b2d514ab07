'use client';

import { AreaSeries, LineSeries, LineStyle, type IChartApi } from 'lightweight-charts';
import { useCallback, useMemo, useState } from 'react';

import { usePreferences } from '../shell/preferences';
import { texts, useText } from '../text/text';
import { Chart, type ChartColours } from '../ui/Chart';
import { Ratio, Won } from '../ui/figures';
import { Choice } from '../ui/form';
import { Panel } from '../ui/Panel';
import { useBenchmark } from './benchmark';
import { CHART_HEIGHT, DAYS, fit, PERCENT, WON } from './chartOptions';
import type { Day, Performance } from './performance';
import css from './charts.module.css';

const TEXT = texts(
  {
    title: 'Equity',
    shown: 'What the chart shows',
    return: 'Return',
    equity: 'Equity',
    account: 'Account',
    benchmark: 'Benchmark',
    drawdown: 'Drawdown',
    label: (from: string, to: string) => `Cumulative return and drawdown of the account from ${from} to ${to}; the table of days has the figures`,
    labelEquity: (from: string, to: string) => `Equity and drawdown of the account from ${from} to ${to}; the table of days has the figures`,
    one: 'One day of equity is told so far. The chart begins with the second session.',
    none: 'No equity told yet. The engine stores what the broker says of the account on every session; the chart begins with the second one.',
    noBars: 'The bars of the benchmark cannot be read now.',
  },
  {
    title: '자산',
    shown: '표시 항목',
    return: '수익률',
    equity: '자산',
    account: '계좌',
    benchmark: '벤치마크',
    drawdown: '낙폭',
    label: (from: string, to: string) => `${from}부터 ${to}까지 계좌의 누적 수익률과 낙폭. 수치는 일별 표에 있습니다`,
    labelEquity: (from: string, to: string) => `${from}부터 ${to}까지 계좌의 자산과 낙폭. 수치는 일별 표에 있습니다`,
    one: '자산이 하루치만 기록되었습니다. 두 번째 거래일부터 차트가 그려집니다.',
    none: '아직 기록된 자산이 없습니다. 거래일마다 증권사가 알려 주는 자산을 저장하며, 두 번째 거래일부터 차트가 그려집니다.',
    noBars: '벤치마크 봉 데이터를 지금 읽을 수 없습니다.',
  },
);

/** Equity or cumulative return beside the benchmark, and the drawdown below on the same days. */
export function ReturnPanel({ days, figures }: { days: readonly Day[]; figures: Performance }) {
  const text = useText(TEXT);
  const { language } = usePreferences();
  const [shown, setShown] = useState<'return' | 'equity'>('return');
  const [at, setAt] = useState<string | null>(null);
  const benchmark = useBenchmark(figures);
  const told = useMemo(() => days.filter((day) => day.equity != null), [days]);
  // The points are new objects with every reading: the chart is drawn anew only when they say something else.
  const said = JSON.stringify([told.map((day) => [day.day, day.equity, day.cumulative_return, day.drawdown]), benchmark.points]);
  const draw = useCallback(
    (chart: IChartApi, colours: ChartColours) => {
      const [rows, points] = JSON.parse(said) as [[string, number, number, number][], { day: string; cumulative: number }[]];
      const account = chart.addSeries(AreaSeries, {
        lineColor: colours.accent,
        topColor: `${colours.accent}40`,
        bottomColor: `${colours.accent}05`,
        lineWidth: 2,
        priceLineVisible: false,
        priceFormat: shown === 'return' ? PERCENT : WON,
      });
      account.setData(rows.map(([time, equity, cumulative]) => ({ time, value: shown === 'return' ? cumulative : equity })));
      if (shown === 'return' && points.length > 0) {
        const line = chart.addSeries(LineSeries, { color: colours.muted, lineWidth: 1, lineStyle: LineStyle.Dashed, priceLineVisible: false, priceFormat: PERCENT });
        line.setData(points.map(({ day, cumulative }) => ({ time: day, value: cumulative })));
      }
      const fall = chart.addSeries(
        AreaSeries,
        { lineColor: colours.danger, topColor: `${colours.danger}08`, bottomColor: `${colours.danger}50`, invertFilledArea: true, lineWidth: 1, priceLineVisible: false, priceFormat: PERCENT },
        1,
      );
      fall.setData(rows.map(([time, , , drawdown]) => ({ time, value: drawdown })));
      chart.panes()[0]?.setStretchFactor(3);
      chart.panes()[1]?.setStretchFactor(1);
      fit(chart, colours, language);
      chart.subscribeCrosshairMove(({ time }) => setAt(typeof time === 'string' ? time : null));
    },
    [said, shown, language],
  );
  const day = told.find((row) => row.day === at) ?? told.at(-1);
  const beside = benchmark.points.filter((point) => day !== undefined && point.day <= day.day).at(-1);
  const first = told[0];
  const last = told.at(-1);
  const empty = told.length === 0 ? text.none : told.length === 1 ? text.one : null;
  return (
    <Panel
      title={text.title}
      count={day?.day ?? null}
      actions={
        <Choice
          label={text.shown}
          at={shown}
          onChange={setShown}
          options={[
            { value: 'return', label: text.return },
            { value: 'equity', label: text.equity },
          ]}
        />
      }
      empty={empty}
    >
      {day !== undefined && (
        <dl className={css.legend}>
          <div data-line="account">
            <dt>{text.account}</dt>
            <dd>{shown === 'return' ? <Ratio value={day.cumulative_return} isSigned /> : <Won value={day.equity} />}</dd>
          </div>
          {shown === 'return' && beside !== undefined && (
            <div data-line="benchmark">
              <dt>
                {text.benchmark} {figures.benchmark?.symbol}
              </dt>
              <dd>
                <Ratio value={beside.cumulative} isSigned />
              </dd>
            </div>
          )}
          <div data-line="drawdown">
            <dt>{text.drawdown}</dt>
            <dd>
              <Ratio value={day.drawdown} isSigned />
            </dd>
          </div>
          {shown === 'return' && benchmark.isMissing && <div className={css.note}>{text.noBars}</div>}
        </dl>
      )}
      {first !== undefined && last !== undefined && (
        <Chart label={(shown === 'return' ? text.label : text.labelEquity)(first.day, last.day)} height={CHART_HEIGHT} options={DAYS} draw={draw} />
      )}
    </Panel>
  );
}
