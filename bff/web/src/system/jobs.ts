/** Runs of jobs, and the last of each job. */

import type { z } from 'zod';

import type { zJobRun } from '../api/generated/zod.gen';
import { microsOf } from '../live/instant';

export type Run = z.infer<typeof zJobRun>;

export interface Job {
  job: string;
  last: Run;
  /** The last that was done; null where none of the runs known was. */
  done: Run | null;
}

/** Returns of every job its last run, from runs of which the newest come first. */
export function jobsOf(runs: readonly Run[]): Job[] {
  const jobs = new Map<string, Job>();
  for (const run of runs) {
    const known = jobs.get(run.job);
    const isDone = run.status === 'DONE';
    if (known === undefined) jobs.set(run.job, { job: run.job, last: run, done: isDone ? run : null });
    else if (isDone && known.done === null) jobs.set(run.job, { ...known, done: run });
  }
  return [...jobs.values()].sort((a, b) => a.job.localeCompare(b.job));
}

/** How long a run took, milliseconds; null while it runs. */
export function tookMs(run: Run): number | null {
  const [began, ended] = [microsOf(run.started_ts), microsOf(run.ended_ts)];
  return began === null || ended === null ? null : Number((ended - began) / 1000n);
}
