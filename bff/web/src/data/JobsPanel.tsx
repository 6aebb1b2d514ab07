'use client';

import { useMemo } from 'react';
import { z } from 'zod';

import { zJobRun } from '../api/generated/zod.gen';
import { useRead, type Read } from '../api/hooks';
import { UNKNOWN } from '../money/format';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { JOB_TEXT, JOBS, tookOf } from './collections';
import css from './data.module.css';

const TEXT = texts(
  {
    title: 'Collection jobs',
    job: 'Job',
    state: 'Last run',
    at: 'Started',
    took: 'Took',
    runs: 'Runs, newest right',
    never: 'never',
    strip: (count: number, failed: number) => `${count} runs, ${failed} of them failed`,
    running: 'runs',
  },
  {
    title: '수집 작업',
    job: '작업',
    state: '최근 실행',
    at: '시작',
    took: '소요',
    runs: '실행 이력 →',
    never: '없음',
    strip: (count: number, failed: number) => `실행 ${count}회, 실패 ${failed}회`,
    running: '실행 중',
  },
);

export type JobRun = z.infer<typeof zJobRun>;

/** Runs of a job that are seen at a glance. */
const SEEN = 12;

/** Runs are in no feed: how often the newest are asked for. */
export const EVERY_MS = 5_000;

/** The same of each job. */
const STRIP_MS = 15_000;

function useRuns(job: string): Read<JobRun[]> {
  return useRead(`/api/v1/jobs?job=${encodeURIComponent(job)}&limit=${SEEN}`, z.array(zJobRun), { everyMs: STRIP_MS });
}

function Last({ job, of }: { job: string; of: 'state' | 'at' | 'took' }) {
  const text = useText(TEXT);
  const { data } = useRuns(job);
  const [run] = data ?? [];
  if (run === undefined) return of === 'state' ? <span className={css.muted}>{data === undefined ? UNKNOWN : text.never}</span> : null;
  if (of === 'state') return <Tag {...(run.reason == null ? {} : { title: run.reason })}>{run.status}</Tag>;
  if (of === 'at') return <Time at={run.started_ts} />;
  return <span className={css.muted}>{run.ended_ts == null ? text.running : (tookOf(run.started_ts, run.ended_ts) ?? UNKNOWN)}</span>;
}

/** The last runs of a job, one mark each. */
function Strip({ job }: { job: string }) {
  const text = useText(TEXT);
  const runs = useRuns(job).data ?? [];
  const shown = runs.slice(0, SEEN).reverse();
  const failed = runs.filter(({ status }) => status === 'FAILED').length;
  return (
    <span className={css.strip} role="img" aria-label={text.strip(runs.length, failed)}>
      {shown.map((run) => (
        <i key={run.run_id} data-status={run.status} title={`${run.run_key} ${run.status}${run.reason == null ? '' : `: ${run.reason}`}`} />
      ))}
    </span>
  );
}

/** Every job, how its last run went, and those before it. */
export function JobsPanel({ chosen, onChoose }: { chosen: string | null; onChoose: (job: string | null) => void }) {
  const text = useText(TEXT);
  const abouts = useText(JOB_TEXT);
  const { data, fault, isLoading, retry } = useRead('/api/v1/jobs?limit=100', z.array(zJobRun), { everyMs: EVERY_MS });
  const jobs = useMemo(() => [...new Set([...JOBS, ...(data ?? []).map(({ job }) => job)])], [data]);
  const columns = useMemo<Column<string>[]>(
    () => [
      {
        id: 'job',
        title: text.job,
        width: 'minmax(150px, 2fr)',
        sort: (job) => job,
        cell: (job) => (
          <span className={css.job}>
            <b>{job}</b>
            <small>{JOBS.find((one) => one === job) === undefined ? '' : abouts[job as (typeof JOBS)[number]]}</small>
          </span>
        ),
      },
      { id: 'state', title: text.state, width: 'minmax(92px, 0.8fr)', cell: (job) => <Last job={job} of="state" /> },
      { id: 'at', title: text.at, align: 'right', width: '104px', cell: (job) => <Last job={job} of="at" /> },
      { id: 'took', title: text.took, align: 'right', width: '78px', isSecondary: true, cell: (job) => <Last job={job} of="took" /> },
      { id: 'runs', title: text.runs, align: 'right', width: '130px', isSecondary: true, cell: (job) => <Strip job={job} /> },
    ],
    [text, abouts],
  );
  return (
    <Panel title={text.title} count={jobs.length} isFlush fault={fault} onRetry={retry} isLoading={isLoading}>
      <DataTable
        label={text.title}
        columns={columns}
        rows={jobs}
        keyOf={(job) => job}
        rowHeight={42}
        openKey={chosen}
        onOpen={(job) => onChoose(job === chosen ? null : job)}
      />
    </Panel>
  );
}
