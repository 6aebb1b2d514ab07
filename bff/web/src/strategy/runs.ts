/** Runs of the strategy, and which strategy is looked at. */

import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { z } from 'zod';

import { zStrategyRun } from '../api/generated/zod.gen';
import { reread, usePages, type Pages } from '../api/hooks';
import { BUSY_MS, CALM_MS, PORTFOLIOS_PATH, RUNS_PATH, STRATEGY_TABLES } from './names';

export type StrategyRun = z.infer<typeof zStrategyRun>;

/** Paths of what a run leaves behind. */
const RESULTS = ['/api/v1/universe', '/api/v1/signals', '/api/v1/rankings', PORTFOLIOS_PATH];

export interface Runs {
  pages: Pages<StrategyRun>;
  /** Of the strategy that is looked at, newest first. */
  rows: StrategyRun[];
  /** Null while nobody has run any. */
  strategy: string | null;
  strategies: string[];
  /** Whether a run of this strategy has left what `part` names: it is asked for only then. */
  has: (part: 'universe_snapshot_id' | 'signal_snapshot_id' | 'ranking_snapshot_id') => boolean;
}

/** Reads the runs; what they leave behind is read anew when one of them has ended. */
export function useRuns(named: string | null, isAsked: boolean): Runs {
  const client = useQueryClient();
  const pages = usePages(RUNS_PATH, zStrategyRun, { tables: STRATEGY_TABLES, everyMs: isAsked ? BUSY_MS : CALM_MS });
  const all = pages.data ?? [];
  const strategies = [...new Set(all.map((run) => run.strategy_id))];
  const strategy = named ?? strategies[0] ?? null;
  const rows = all.filter((run) => run.strategy_id === strategy);
  const newest = rows[0];
  const said = newest === undefined ? '' : `${newest.run_id} ${newest.state} ${newest.portfolio_id ?? ''}`;
  useEffect(() => {
    if (said !== '') RESULTS.forEach((path) => reread(client, path));
  }, [client, said]);
  return { pages, rows, strategy, strategies, has: (part) => rows.some((run) => run[part] != null) };
}
