/** The benchmark as a line beside the account. */

import { z } from 'zod';

import { useRead } from '../api/hooks';
import { SLOW_MS, type Performance } from './performance';

const zBar = z.object({ date: z.string(), close: z.number() });

/** Days before the first one in which a bar to begin from is looked for: longer than any holiday. */
const BEFORE_MS = 20 * 24 * 60 * 60 * 1000;

export interface BenchmarkPoint {
  day: string;
  /** Since the day before the period's first return. */
  cumulative: number;
}

/** Returns the cumulative return of the benchmark over the days of `figures`; none while its bars are not known. */
export function useBenchmark(figures: Performance | undefined): { points: readonly BenchmarkPoint[]; isMissing: boolean } {
  const symbol = figures?.benchmark?.symbol;
  const from = figures?.from;
  const isThere = symbol !== undefined && from != null;
  const since = isThere ? new Date(Date.parse(from) - BEFORE_MS).toISOString().slice(0, 10) : '';
  const path = isThere ? `/api/v1/stocks/${symbol}/bars?interval=day&from=${since}&limit=1000` : null;
  const { data, fault } = useRead(path, z.array(zBar), { everyMs: 10 * SLOW_MS });
  const bars = data ?? [];
  const first = from ?? '';
  const last = figures?.to ?? '';
  const base = bars.filter(({ date }) => date < first).at(-1);
  const points =
    base === undefined || base.close === 0
      ? []
      : [
          { day: base.date, cumulative: 0 },
          ...bars.filter(({ date }) => date >= first && date <= last).map(({ date, close }) => ({ day: date, cumulative: close / base.close - 1 })),
        ];
  return { points, isMissing: isThere && fault !== null };
}
