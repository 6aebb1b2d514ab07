'use client';

import type { z } from 'zod';

import { zPickRun } from '../api/generated/zod.gen';
import { usePages } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Price, Stock, Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import css from './PickRuns.module.css';

const TEXT = texts(
  {
    title: 'Picks by producer',
    empty: 'No program has proposed anything yet. Producers send their picks to POST /api/v1/picks.',
    noPicks: 'An empty run: its producer takes back what it proposed before.',
    received: 'received',
    by: 'by',
    atMost: 'at most',
    more: 'Show older runs',
  },
  {
    title: '생산자별 추천',
    empty: '아직 추천이 없습니다. 생산자 프로그램은 POST /api/v1/picks로 추천을 보냅니다.',
    noPicks: '빈 추천: 생산자가 이전 추천을 철회했습니다.',
    received: '수신',
    by: '보낸 이',
    atMost: '최대',
    more: '이전 추천 더 보기',
  },
);

function Run({ run }: { run: z.infer<typeof zPickRun> }) {
  const text = useText(TEXT);
  return (
    <li className={css.run}>
      <div className={css.head}>
        <b>{run.producer}</b>
        <code>{run.run_id}</code>
        <span className={css.when}>
          {text.received} <Time at={run.received_ts} /> · {text.by} {run.sent_by}
        </span>
      </div>
      {run.picks.length === 0 && <p className={css.none}>{text.noPicks}</p>}
      <ol>
        {run.picks.map((pick) => (
          <li key={pick.symbol}>
            <span className={css.rank}>{pick.rank}</span>
            <span className={css.pick}>
              <Stock name={pick.name} symbol={pick.symbol} />
              {pick.reasons.length > 0 && <span className={css.why}>{pick.reasons.join(' · ')}</span>}
            </span>
            {pick.constraints.price_max != null && (
              <span className={css.why}>
                {text.atMost} <Price value={pick.constraints.price_max} />
              </span>
            )}
            <Tag tone={pick.confidence === 'HIGH' ? 'good' : pick.confidence === 'MEDIUM' ? 'working' : 'muted'}>{pick.confidence}</Tag>
            <span className={css.score}>{pick.score.toFixed(2)}</span>
          </li>
        ))}
      </ol>
    </li>
  );
}

/** Runs of the producers, newest first, each with what it would buy. */
export function PickRuns() {
  const text = useText(TEXT);
  const pages = usePages('/api/v1/picks?limit=20', zPickRun, { tables: ['trade.pick_runs'] });
  const runs = pages.data ?? [];
  return (
    <Panel
      title={text.title}
      count={runs.length === 0 ? null : runs.length}
      fault={pages.fault}
      onRetry={pages.retry}
      isLoading={pages.isLoading}
      empty={pages.data !== undefined && runs.length === 0 ? text.empty : null}
      isFlush
    >
      <ul className={css.runs} tabIndex={0} aria-label={text.title}>
        {runs.map((run) => (
          <Run key={run.id} run={run} />
        ))}
      </ul>
      {pages.hasMore && (
        <Button kind="quiet" isBusy={pages.isLoadingMore} onClick={pages.more}>
          {text.more}
        </Button>
      )}
    </Panel>
  );
}
