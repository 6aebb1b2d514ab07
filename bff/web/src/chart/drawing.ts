/** What stands on a chart beside its candles, and how that is drawn. */

import {
  CandlestickSeries,
  createSeriesMarkers,
  HistogramSeries,
  LineStyle,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  type MouseEventParams,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts';

import { unitsOf } from '../money/decimal';
import { formatPrice } from '../money/format';
import type { ChartColours } from '../ui/Chart';
import type { Bar, Interval } from './bars';

export type Tone = 'text' | 'muted' | 'accent' | 'good' | 'warn' | 'danger';

/** A price across the whole chart, named at the axis. */
export interface ChartLine {
  id: string;
  price: number;
  name: string;
  tone: Tone;
  style?: 'solid' | 'dashed' | 'dotted';
}

/** Something that happened at a time. */
export interface ChartMark {
  id: string;
  /** RFC 3339. */
  at: string;
  name: string;
  tone: Tone;
  side: 'above' | 'below';
  shape: 'up' | 'down' | 'circle' | 'square';
}

/** The parts of a chart that are drawn. */
export interface Drawing {
  chart: IChartApi;
  candles: ISeriesApi<'Candlestick'>;
  volume: ISeriesApi<'Histogram'>;
  marks: ISeriesMarkersPluginApi<Time>;
  colours: ChartColours;
  /** The chart is gone: effects that still know it draw nothing. */
  isOver: boolean;
}

const SEOUL_OFFSET_S = 9 * 3600;

const STYLES = { solid: LineStyle.Solid, dashed: LineStyle.Dashed, dotted: LineStyle.Dotted };

const SHAPES = { up: 'arrowUp', down: 'arrowDown', circle: 'circle', square: 'square' } as const;

/** The chart takes every time for UTC: minutes are put where they read as in Seoul. */
function minuteAt(rfc3339: string): UTCTimestamp {
  const second = Math.floor(Date.parse(rfc3339) / 60_000) * 60;
  return (second + SEOUL_OFFSET_S) as UTCTimestamp;
}

function dateAt(rfc3339: string): string {
  return new Date(Date.parse(rfc3339) + SEOUL_OFFSET_S * 1000).toISOString().slice(0, 10);
}

function timeOf(bar: Bar, interval: Interval): Time {
  return interval === 'day' ? bar.date : minuteAt(bar.time);
}

/** Creates the series of candles and, below them, of volume. */
export function begin(chart: IChartApi, colours: ChartColours): Drawing {
  const candles = chart.addSeries(CandlestickSeries, {
    upColor: colours.up,
    borderUpColor: colours.up,
    wickUpColor: colours.up,
    downColor: colours.down,
    borderDownColor: colours.down,
    wickDownColor: colours.down,
    priceLineStyle: LineStyle.Dotted,
    priceFormat: { type: 'custom', minMove: 0.01, formatter: (price: number) => formatPrice(unitsOf(Math.round(price * 100) / 100)) },
  });
  candles.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.22 } });
  const volume = chart.addSeries(HistogramSeries, {
    priceScaleId: 'volume',
    priceFormat: { type: 'volume' },
    lastValueVisible: false,
    priceLineVisible: false,
  });
  volume.priceScale().applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
  return { chart, candles, volume, marks: createSeriesMarkers(candles), colours, isOver: false };
}

function volumeOf(bar: Bar, interval: Interval, colours: ChartColours) {
  const colour = bar.close >= bar.open ? colours.up : colours.down;
  return { time: timeOf(bar, interval), value: bar.volume, color: `${colour}66` };
}

function candleOf({ open, high, low, close }: Bar) {
  return { open, high, low, close };
}

/** Draws all bars. */
export function drawBars({ candles, volume, colours, isOver }: Drawing, bars: readonly Bar[], interval: Interval): void {
  if (isOver) return;
  candles.setData(bars.map((bar) => ({ time: timeOf(bar, interval), ...candleOf(bar) })));
  volume.setData(bars.map((bar) => volumeOf(bar, interval, colours)));
}

/** Draws the last bar, or one after it. */
export function drawLast({ candles, volume, colours, isOver }: Drawing, bar: Bar, interval: Interval): void {
  if (isOver) return;
  candles.update({ time: timeOf(bar, interval), ...candleOf(bar) });
  volume.update(volumeOf(bar, interval, colours));
}

/** Draws lines. Returns what takes them away. */
export function drawLines(drawing: Drawing, lines: readonly ChartLine[]): () => void {
  const { candles, colours } = drawing;
  const drawn: IPriceLine[] = (drawing.isOver ? [] : lines).map((line) =>
    candles.createPriceLine({
      price: line.price,
      title: line.name,
      color: colours[line.tone],
      lineStyle: STYLES[line.style ?? 'dashed'],
      lineWidth: 1,
      axisLabelVisible: true,
    }),
  );
  return () => {
    if (!drawing.isOver) drawn.forEach((line) => candles.removePriceLine(line));
  };
}

/** Returns where a mark stands: at the bar of its time, or at the first bar where its day begins with that. */
function placeOf({ at }: ChartMark, first: Bar, interval: Interval): Time | null {
  if (interval === 'day') return dateAt(at) < first.date ? null : dateAt(at);
  const begin = minuteAt(first.time);
  if (minuteAt(at) >= begin) return minuteAt(at);
  return dateAt(at) === first.date ? begin : null;
}

/** Draws marks at the bars in which their times lie; those of days before the first bar are left out. */
export function drawMarks({ marks, colours, isOver }: Drawing, all: readonly ChartMark[], bars: readonly Bar[], interval: Interval): void {
  if (isOver) return;
  const [first] = bars;
  const shown: SeriesMarker<Time>[] = [];
  for (const mark of all) {
    const time = first === undefined ? null : placeOf(mark, first, interval);
    if (time === null) continue;
    shown.push({
      id: mark.id,
      time,
      position: mark.side === 'above' ? 'aboveBar' : 'belowBar',
      shape: SHAPES[mark.shape],
      color: colours[mark.tone],
      text: mark.name,
    });
  }
  marks.setMarkers(shown.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0)));
}

/** Makes room for every line, or for the candles alone. */
export function fitTo({ candles, isOver }: Drawing, prices: readonly number[]): void {
  if (isOver) return;
  candles.applyOptions({
    autoscaleInfoProvider: (own: () => { priceRange: { minValue: number; maxValue: number } | null } | null) => {
      const info = own();
      if (info === null || info.priceRange === null || prices.length === 0) return info;
      const { minValue, maxValue } = info.priceRange;
      return { ...info, priceRange: { minValue: Math.min(minValue, ...prices), maxValue: Math.max(maxValue, ...prices) } };
    },
  });
}

/** Shows the bars from the one with index `from` to that with index `to`. */
export function show({ chart, isOver }: Drawing, from: number, to: number): void {
  if (!isOver) chart.timeScale().setVisibleLogicalRange({ from, to });
}

/** Calls `listener` with the index of the bar that is pointed at, null where none is. Returns what ends it. */
export function listenToPointer(drawing: Drawing, listener: (index: number | null) => void): () => void {
  const { chart } = drawing;
  if (drawing.isOver) return () => {};
  const point = ({ logical }: MouseEventParams) => listener(logical ?? null);
  chart.subscribeCrosshairMove(point);
  return () => {
    if (!drawing.isOver) chart.unsubscribeCrosshairMove(point);
  };
}
