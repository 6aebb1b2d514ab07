'use client';

import { useCallback, useMemo } from 'react';

import { zJobRun } from '../api/generated/zod.gen';
import { usePages } from '../api/hooks';
import { UNKNOWN } from '../money/format';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { tookOf } from './collections';
import css from './data.module.css';
import { EVERY_MS, type JobRun } from './JobsPanel';

const TEXT = texts(
  {
    title: 'Runs',
    of: (job: string) => `Runs of ${job}`,
    all: 'All jobs',
    started: 'Started',
    job: 'Job',
    key: 'For',
    state: 'State',
    took: 'Took',
    changed: 'Changed',
    changedHint: 'Rows that are different since, of what came from outside',
    reason: 'Why',
    empty: 'No run is kept. A job that is switched on in [jobs] runs at its time, and what is missed is made up for.',
  },
  {
    title: '실행 기록',
    of: (job: string) => `${job} 실행 기록`,
    all: '전체 작업',
    started: '시작',
    job: '작업',
    key: '대상',
    state: '상태',
    took: '소요',
    changed: '변경',
    changedHint: '외부에서 받은 것 중 달라진 행 수',
    reason: '사유',
    empty: '실행 기록이 없습니다. [jobs]에서 켜진 작업은 정해진 시각에 실행되며 놓친 작업은 보충됩니다.',
  },
);

/** What jobs did, newest first. */
export function RunsPanel({ job, onAll }: { job: string | null; onAll: () => void }) {
  const text = useText(TEXT);
  const { data, fault, isLoading, retry, hasMore, isLoadingMore, more } = usePages(
    job === null ? '/api/v1/jobs' : `/api/v1/jobs?job=${encodeURIComponent(job)}`,
    zJobRun,
    { everyMs: EVERY_MS },
  );
  const end = useCallback(() => {
    if (hasMore && !isLoadingMore) more();
  }, [hasMore, isLoadingMore, more]);
  const columns = useMemo<Column<JobRun>[]>(
    () => [
      { id: 'started', title: text.started, width: '78px', sort: (row) => row.run_id, cell: (row) => <Time at={row.started_ts} /> },
      { id: 'job', title: text.job, width: 'minmax(112px, 1.4fr)', sort: (row) => row.job, cell: (row) => row.job },
      { id: 'key', title: text.key, width: 'minmax(84px, 1fr)', isSecondary: true, cell: (row) => <span title={row.run_key} className={css.muted}>{row.run_key}</span> },
      { id: 'state', title: text.state, width: '86px', sort: (row) => row.status, cell: (row) => <Tag>{row.status}</Tag> },
      { id: 'took', title: text.took, align: 'right', width: '76px', isSecondary: true, cell: (row) => tookOf(row.started_ts, row.ended_ts) ?? UNKNOWN },
      {
        id: 'changed',
        title: text.changed,
        hint: text.changedHint,
        align: 'right',
        width: '84px',
        sort: (row) => row.changed,
        cell: (row) => (
          <>
            <Count value={row.changed} />
            <span className={css.muted}>
              {' / '}
              <Count value={row.fetched} />
            </span>
          </>
        ),
      },
      { id: 'reason', title: text.reason, width: 'minmax(64px, 1.2fr)', isSecondary: true, cell: (row) => <span title={row.reason ?? undefined}>{row.reason ?? ''}</span> },
    ],
    [text],
  );
  return (
    <Panel
      title={job === null ? text.title : text.of(job)}
      count={data === undefined ? null : `${data.length}${hasMore ? '+' : ''}`}
      isFlush
      fault={fault}
      onRetry={retry}
      isLoading={isLoading}
      empty={data?.length === 0 ? text.empty : null}
      actions={job !== null && <Button size="small" onClick={onAll}>{text.all}</Button>}
    >
      <DataTable label={text.title} columns={columns} rows={data ?? []} keyOf={(row) => String(row.run_id)} height="340px" onEnd={end} isLoadingMore={isLoadingMore} />
    </Panel>
  );
}
