'use client';

import type { IChartApi } from 'lightweight-charts';
import { useCallback, useEffect, useRef, useState } from 'react';

import { usePrice } from '../live/provider';
import { texts, useText } from '../text/text';
import { Chart, type ChartColours } from '../ui/Chart';
import { FaultNote } from '../ui/Panel';
import { BarFigures } from './BarFigures';
import { goneOn, useBars, type Bar, type Interval } from './bars';
import css from './Candles.module.css';
import {
  begin,
  drawBars,
  drawLast,
  drawLines,
  drawMarks,
  fitTo,
  listenToPointer,
  show,
  type ChartLine,
  type ChartMark,
  type Drawing,
} from './drawing';

const TEXT = texts(
  {
    label: (symbol: string, of: string, lines: string) => `Prices of ${symbol} by ${of}. ${lines}`,
    day: 'day',
    minute: 'minute',
    empty: 'No bars yet. They come with the first trades of the session, and days with the collection of daily bars.',
    loading: 'Loading the chart',
  },
  {
    label: (symbol: string, of: string, lines: string) => `${symbol} ${of} 차트. ${lines}`,
    day: '일봉',
    minute: '분봉',
    empty: '아직 봉이 없습니다. 분봉은 첫 체결부터, 일봉은 일별 수집 이후 표시됩니다.',
    loading: '차트 불러오는 중',
  },
);

/** Bars that are seen at first. */
const SEEN: Record<Interval, number> = { day: 90, minute: 120 };
/** Room for so many bars at least. */
const SEEN_MIN = 30;

const NO_LINES: readonly ChartLine[] = [];
const NO_MARKS: readonly ChartMark[] = [];

interface CandlesProps {
  symbol: string;
  interval: Interval;
  /** Prices across the chart. It must be the same array while nothing changes. */
  lines?: readonly ChartLine[];
  /** What happened when. It must be the same array while nothing changes. */
  marks?: readonly ChartMark[];
  /** Whether there is room for all lines; otherwise for the candles alone. */
  isFitted?: boolean;
  height: number;
}

/** Candles and volume of a symbol of which the last goes with the live price, with lines and marks. */
export function Candles({ symbol, interval, lines = NO_LINES, marks = NO_MARKS, isFitted = true, height }: CandlesProps) {
  const text = useText(TEXT);
  const { data, fault, isLoading, retry } = useBars(symbol, interval);
  const price = usePrice(symbol);
  const [drawing, setDrawing] = useState<Drawing | null>(null);
  const [pointed, setPointed] = useState<Bar | null>(null);
  const last = useRef<Bar | undefined>(undefined);
  const bars = useRef<readonly Bar[]>([]);
  const seen = useRef('');

  const draw = useCallback((chart: IChartApi, colours: ChartColours) => {
    const made = begin(chart, colours);
    seen.current = '';
    setDrawing(made);
    return () => {
      made.isOver = true;
      setDrawing(null);
    };
  }, []);

  useEffect(() => {
    if (drawing === null || data === undefined) return;
    drawBars(drawing, data, interval);
    bars.current = data;
    last.current = data.at(-1);
    const shown = `${symbol} ${interval}`;
    if (seen.current !== shown && data.length > 0) {
      seen.current = shown;
      show(drawing, Math.max(-2, data.length - SEEN[interval]), Math.max(data.length, SEEN_MIN) + 3);
    }
  }, [drawing, data, interval, symbol]);

  useEffect(() => {
    if (drawing === null || data === undefined || price === undefined) return;
    const next = goneOn(last.current, interval, Math.floor(price.logicalUs / 1000), price.price);
    if (next === undefined) return;
    last.current = next;
    drawLast(drawing, next, interval);
  }, [drawing, data, interval, price]);

  useEffect(() => (drawing === null ? undefined : drawLines(drawing, lines)), [drawing, lines]);

  useEffect(() => {
    if (drawing !== null) fitTo(drawing, isFitted ? lines.map((line) => line.price) : []);
  }, [drawing, lines, isFitted]);

  useEffect(() => {
    if (drawing !== null && data !== undefined) drawMarks(drawing, marks, data, interval);
  }, [drawing, data, marks, interval]);

  useEffect(() => {
    if (drawing === null) return;
    return listenToPointer(drawing, (index) => setPointed(index === null ? null : (bars.current[index] ?? null)));
  }, [drawing]);

  const named = lines.map((line) => `${line.name} ${line.price.toLocaleString('en-US')}`).join(', ');
  return (
    <div className={css.frame} style={{ minHeight: height }} data-testid="candles">
      {fault !== null && <FaultNote fault={fault} onRetry={retry} />}
      {isLoading && <p className={css.note}>{text.loading}…</p>}
      {!isLoading && data !== undefined && data.length === 0 && <p className={css.note}>{text.empty}</p>}
      {data !== undefined && data.length > 0 && (
        <>
          <BarFigures bar={pointed} last={data.at(-1)} interval={interval} price={price?.price ?? null} />
          <Chart label={text.label(symbol, text[interval], named)} height={height} draw={draw} />
        </>
      )}
    </div>
  );
}
