/** Bars of a symbol, and how a live price goes on where they end. */

import { useMemo } from 'react';
import { z } from 'zod';

import { zSeoulTime } from '../api/generated/zod.gen';
import { useRead, type Read } from '../api/hooks';
import { seoulDay } from '../shell/session';

export type Interval = 'day' | 'minute';

export const zBar = z.object({
  /** Its begin. */
  time: zSeoulTime,
  /** Its date in Seoul. */
  date: z.string(),
  open: z.number(),
  high: z.number(),
  low: z.number(),
  close: z.number(),
  volume: z.number(),
});

export type Bar = z.infer<typeof zBar>;

const zBars = z.array(zBar);

/** Most bars of one answer: a session has 390 minutes. */
const LIMIT: Record<Interval, number> = { day: 250, minute: 500 };

/** How often bars are read anew; in between the live price goes on with the last one. */
const EVERY_MS = 20_000;

const MINUTE_MS = 60_000;

/** Returns one bar of all `bars`, oldest first; undefined without any. */
export function joined(bars: readonly Bar[]): Bar | undefined {
  const [first] = bars;
  const last = bars.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return {
    time: first.time,
    date: first.date,
    open: first.open,
    high: Math.max(...bars.map(({ high }) => high)),
    low: Math.min(...bars.map(({ low }) => low)),
    close: last.close,
    volume: bars.reduce((sum, { volume }) => sum + volume, 0),
  };
}

/** Returns daily bars with those of the days after them, as far as their minutes are known. */
export function withToday(days: readonly Bar[], minutes: readonly Bar[]): Bar[] {
  const lastDay = days.at(-1)?.date ?? '';
  const dates = [...new Set(minutes.map(({ date }) => date))].filter((date) => date > lastDay);
  const later = dates.map((date) => joined(minutes.filter((bar) => bar.date === date)));
  return [...days, ...later.filter((bar) => bar !== undefined)];
}

/**
 * Returns the bar in which a price at `ms` belongs: `last` with the price in it, or a new one after it.
 * Undefined where the price is older than `last`.
 */
export function goneOn(last: Bar | undefined, interval: Interval, ms: number, price: number): Bar | undefined {
  const date = seoulDay(ms);
  const begin = new Date(Math.floor(ms / MINUTE_MS) * MINUTE_MS).toISOString();
  const key = interval === 'day' ? date : Date.parse(begin);
  const lastKey = last === undefined ? null : interval === 'day' ? last.date : Date.parse(last.time);
  if (last === undefined || lastKey === null || key > lastKey) {
    return { time: begin, date, open: price, high: price, low: price, close: price, volume: 0 };
  }
  if (key < lastKey) return undefined;
  return { ...last, high: Math.max(last.high, price), low: Math.min(last.low, price), close: price };
}

/** Reads the bars of `symbol`, oldest first; those of days with the one that is under way. */
export function useBars(symbol: string, interval: Interval): Read<Bar[]> {
  const path = (of: Interval) => `/api/v1/stocks/${symbol}/bars?interval=${of}&limit=${LIMIT[of]}`;
  const minutes = useRead(path('minute'), zBars, { everyMs: EVERY_MS });
  const days = useRead(interval === 'day' ? path('day') : null, zBars, { everyMs: 5 * MINUTE_MS });
  const all = useMemo(
    () => (days.data === undefined ? undefined : withToday(days.data, minutes.data ?? [])),
    [days.data, minutes.data],
  );
  return interval === 'minute' ? minutes : { ...days, data: all };
}
