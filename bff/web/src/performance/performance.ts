/** What the page of performance reads: periods, paths, and how its figures read. */

import type { z } from 'zod';

import { zPerformance, zPerformanceDay } from '../api/generated/zod.gen';
import { useRead, type Read } from '../api/hooks';

export const PERIODS = ['1M', '3M', '6M', '1Y', 'YTD', 'ALL'] as const;
export type Period = (typeof PERIODS)[number];

export const FLOWS_PATH = '/api/v1/performance/cash-flows';

/** Tables from which all of it comes. */
export const PERFORMANCE_TABLES = ['trade.account_equity', 'trade.equity_days', 'trade.exit_events', 'trade.cash_flows'];

/** How often it is read anew, for what the change feed does not tell. */
export const SLOW_MS = 30_000;

export type Performance = z.infer<typeof zPerformance>;
export type Day = z.infer<typeof zPerformanceDay>;

/** Whose performance is looked at, and since when. */
export interface Scope {
  period: Period;
  /** Null: the account whose equity was told last. */
  account: string | null;
}

/** The parameters of `scope`, with others. */
export function queryOf({ period, account }: Scope, others: Readonly<Record<string, string>> = {}): string {
  return new URLSearchParams({ period, ...(account === null ? {} : { account_id: account }), ...others }).toString();
}

export function useFigures(scope: Scope): Read<Performance> {
  return useRead(`/api/v1/performance?${queryOf(scope)}`, zPerformance, { tables: PERFORMANCE_TABLES, everyMs: SLOW_MS });
}

/** A ratio such as a Sharpe ratio: two places, with a true minus sign. */
export function formatFigure(value: number | null | undefined): string {
  return value == null ? '–' : value.toFixed(2).replace('-', '−');
}

/** How long something was held: `12m 5s`, `3h 20m`, `5d 4h`. */
export function formatHolding(seconds: number): string {
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${days}d ${hours}h`;
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`;
}
