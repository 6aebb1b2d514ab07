'use client';

import { useMemo } from 'react';
import { z } from 'zod';

import { zJobRun } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, Time } from '../ui/figures';
import { PagesFoot } from '../ui/list';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { useAddress } from '../shell/address';
import { useFollowedPages } from './followed';
import { jobsOf, tookMs, type Job, type Run } from './jobs';
import { LOOK_EVERY_MS } from './metrics';
import { formatAge } from './sources';

const TEXT = texts(
  {
    jobs: 'Jobs',
    runs: 'Runs',
    of: (job: string) => `Runs of ${job}`,
    all: 'Show all jobs',
    empty: 'No job has run yet. Jobs run at times of the trading calendar, and some at the start.',
    job: 'Job',
    last: 'Last run',
    state: 'State',
    done: 'Last done',
    took: 'Took',
    fetched: 'Fetched',
    changed: 'Changed',
    reason: 'Reason',
    started: 'Started',
    for: 'For',
    running: 'runs',
  },
  {
    jobs: '작업',
    runs: '실행 이력',
    of: (job: string) => `${job} 실행 이력`,
    all: '전체 작업 보기',
    empty: '아직 실행된 작업이 없습니다. 작업은 거래일 일정이나 시작 시 실행됩니다.',
    job: '작업',
    last: '최근 실행',
    state: '상태',
    done: '최근 완료',
    took: '소요',
    fetched: '수집',
    changed: '변경',
    reason: '사유',
    started: '시작',
    for: '대상',
    running: '실행 중',
  },
);

const zRuns = z.array(zJobRun);

/** Every job with its last run and why it went as it did; the runs of one job or of all. */
export function Jobs() {
  const text = useText(TEXT);
  const { get, set } = useAddress();
  const chosen = (get('job') ?? '');
  const newest = useRead('/api/v1/jobs?limit=100', zRuns, { everyMs: LOOK_EVERY_MS });
  const runs = useFollowedPages(`/api/v1/jobs${chosen === '' ? '' : `?job=${encodeURIComponent(chosen)}`}`, zJobRun);
  const jobs = useMemo(() => jobsOf(newest.data ?? []), [newest.data]);
  const took = (run: Run) => (run.status === 'RUNNING' ? text.running : formatAge(tookMs(run)));
  const jobColumns: readonly Column<Job>[] = [
    { id: 'job', title: text.job, width: 'minmax(130px, 1.3fr)', sort: (row) => row.job, cell: (row) => <b>{row.job}</b> },
    { id: 'state', title: text.state, width: '92px', sort: (row) => row.last.status, cell: (row) => <Tag>{row.last.status}</Tag> },
    { id: 'last', title: text.last, width: '116px', sort: (row) => row.last.started_ts, cell: (row) => <Time at={row.last.started_ts} /> },
    { id: 'done', title: text.done, width: '116px', isSecondary: true, sort: (row) => row.done?.ended_ts, cell: (row) => <Time at={row.done?.ended_ts} /> },
    { id: 'took', title: text.took, align: 'right', width: '84px', isSecondary: true, cell: (row) => took(row.last) },
    { id: 'changed', title: text.changed, align: 'right', width: '84px', isSecondary: true, cell: (row) => <Count value={row.last.changed} /> },
    { id: 'reason', title: text.reason, width: 'minmax(160px, 2.6fr)', isSecondary: true, cell: (row) => <span title={row.last.reason ?? ''}>{row.last.reason ?? ''}</span> },
  ];
  const runColumns: readonly Column<Run>[] = [
    { id: 'started', title: text.started, width: '116px', cell: (row) => <Time at={row.started_ts} /> },
    { id: 'job', title: text.job, width: 'minmax(110px, 1fr)', cell: (row) => row.job },
    { id: 'for', title: text.for, width: 'minmax(120px, 1fr)', isSecondary: true, cell: (row) => <span title={row.run_key}>{row.run_key}</span> },
    { id: 'state', title: text.state, width: '92px', cell: (row) => <Tag>{row.status}</Tag> },
    { id: 'took', title: text.took, align: 'right', width: '84px', isSecondary: true, cell: took },
    { id: 'fetched', title: text.fetched, align: 'right', width: '84px', isSecondary: true, cell: (row) => <Count value={row.fetched} /> },
    { id: 'changed', title: text.changed, align: 'right', width: '84px', isSecondary: true, cell: (row) => <Count value={row.changed} /> },
    { id: 'reason', title: text.reason, width: 'minmax(140px, 2fr)', isSecondary: true, cell: (row) => <span title={row.reason ?? ''}>{row.reason ?? ''}</span> },
  ];
  return (
    <>
      <Panel
        title={text.jobs}
        count={jobs.length}
        fault={newest.fault}
        onRetry={newest.retry}
        isLoading={newest.isLoading}
        empty={newest.data?.length === 0 ? text.empty : null}
        isFlush
      >
        <div data-testid="jobs">
          <DataTable
            label={text.jobs}
            columns={jobColumns}
            rows={jobs}
            keyOf={(row) => row.job}
            openKey={chosen}
            onOpen={(row) => set({ job: row.job === chosen ? '' : row.job })}
          />
        </div>
      </Panel>
      <Panel
        title={chosen === '' ? text.runs : text.of(chosen)}
        fault={runs.fault}
        onRetry={runs.retry}
        isLoading={runs.isLoading}
        empty={runs.data?.length === 0 ? text.empty : null}
        isFlush
        actions={
          chosen !== '' && (
            <Button size="small" onClick={() => set({ job: '' })}>
              {text.all}
            </Button>
          )
        }
      >
        <div data-testid="job-runs">
          <DataTable label={text.runs} columns={runColumns} rows={runs.data ?? []} keyOf={(row) => String(row.run_id)} />
        </div>
        <PagesFoot list={runs} />
      </Panel>
    </>
  );
}
