'use client';

import { useTopic } from '../live/provider';
import { texts, useText } from '../text/text';
import { Count } from '../ui/figures';
import { Facts, Meter } from '../ui/layout';
import { Panel } from '../ui/Panel';
import type { FiguresRead } from './metrics';
import { useFiguresState } from './state';
import css from './system.module.css';

const TEXT = texts(
  {
    title: 'Database and cache',
    here: 'This server, now',
    bff_main: 'Server, main pool',
    bff_quiet: 'Server, quiet pool',
    stream_main: 'Engine, main pool',
    stream_quiet: 'Engine, quiet pool',
    query: 'Query, mean',
    wait: 'Wait for a connection, mean',
    committed: 'Committed',
    rolledBack: 'Rolled back',
    failures: 'Failed statements',
    breaker: 'Breaker of Redis',
    closed: 'closed: calls go out',
    open: 'open: Redis is isolated',
    half_open: 'half open: one call tries',
    hits: 'Cache hits',
  },
  {
    title: '데이터베이스·캐시',
    here: '이 서버 (현재)',
    bff_main: '서버 기본 풀',
    bff_quiet: '서버 보조 풀',
    stream_main: '엔진 기본 풀',
    stream_quiet: '엔진 보조 풀',
    query: '평균 질의 시간',
    wait: '평균 연결 대기',
    committed: '커밋',
    rolledBack: '롤백',
    failures: '실패한 질의',
    breaker: 'Redis 차단기',
    closed: '닫힘: 정상 호출',
    open: '열림: Redis 격리',
    half_open: '반열림: 시험 호출',
    hits: '캐시 적중',
  },
);

const POOLS = ['stream_main', 'stream_quiet', 'bff_main', 'bff_quiet'] as const;

/** The database as its users see it: pools in use, query time, transactions; and the breaker of the cache. */
export function Pools({ read }: { read: FiguresRead }) {
  const text = useText(TEXT);
  const state = useFiguresState(read);
  const [health] = useTopic('health').rows;
  const { figures } = read;
  const millis = (value: number | null) => (value === null ? '–' : `${(value * 1000).toFixed(2)} ms`);
  const breaker = health?.cache.breaker;
  const reads = (health?.cache.hits ?? 0) + (health?.cache.misses ?? 0);
  const pools = [
    ...(health === undefined ? [] : [{ id: 'here', name: text.here, used: health.database.pool_in_use / Math.max(1, health.database.pool_max) }]),
    ...POOLS.flatMap((pool) => {
      const used = figures.of('postgres_pool_use_ratio', { pool });
      return used === null ? [] : [{ id: pool, name: text[pool], used }];
    }),
  ];
  return (
    <Panel title={text.title} {...state} empty={health === undefined ? state.empty : null}>
      <ul className={css.meters}>
        {pools.map(({ id, name, used }) => (
          <li key={id}>
            <span>{name}</span>
            <Meter label={name} value={used} />
            <span className={css.right} data-testid={`pool-${id}`}>
              {`${Math.round(used * 100)} %`}
            </span>
          </li>
        ))}
      </ul>
      <Facts
        facts={[
          [text.query, millis(figures.mean('postgres_query_seconds'))],
          [text.wait, millis(figures.mean('postgres_pool_wait_seconds'))],
          [text.committed, <Count key="committed" value={figures.of('postgres_transactions_total', { outcome: 'committed' })} />],
          [text.rolledBack, <Count key="back" value={figures.of('postgres_transactions_total', { outcome: 'rolled_back' })} />],
          [text.failures, <Count key="failures" value={figures.of('postgres_statement_failures_total')} />],
          [text.hits, reads === 0 ? '–' : `${Math.round(((health?.cache.hits ?? 0) / reads) * 100)} %`],
          [text.breaker, <span key="breaker" data-testid="breaker">{breaker === 'closed' || breaker === 'open' || breaker === 'half_open' ? text[breaker] : (breaker ?? '–')}</span>],
        ]}
      />
    </Panel>
  );
}
