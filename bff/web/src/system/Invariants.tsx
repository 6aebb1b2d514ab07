'use client';

import Link from 'next/link';
import { useState } from 'react';
import type { z } from 'zod';

import { zInvariantViolation } from '../api/generated/zod.gen';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Time } from '../ui/figures';
import { Choice } from '../ui/form';
import { PagesFoot } from '../ui/list';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { useFollowedPages } from './followed';
import css from './system.module.css';

type Violation = z.infer<typeof zInvariantViolation>;

const TEXT = texts(
  {
    title: 'Standing invariants',
    about: 'What must never be so, watched all the time. Nothing is stopped by it: look at once.',
    broken: 'Broken now',
    over: 'Over',
    all: 'All',
    which: 'Which',
    none_broken: 'Every invariant holds.',
    none_over: 'No invariant was ever broken and mended.',
    none_all: 'No invariant was ever broken.',
    kind: 'Invariant',
    key: 'Of',
    symbol: 'Stock',
    detail: 'What is wrong',
    since: 'Since',
    until: 'Until',
    stands: 'stands',
    OVERSELL: 'No more is sold than held',
    BREACH: 'A decided sale becomes an order',
    ORDER: 'Orders follow their states',
    HOLDINGS: 'Positions equal holdings',
    CACHE: 'The cache equals the database',
  },
  {
    title: '상시 불변식',
    about: '절대 일어나서는 안 되는 상태를 계속 감시합니다. 자동으로 멈추지 않으므로 즉시 확인하세요.',
    broken: '위반 중',
    over: '해소됨',
    all: '전체',
    which: '대상',
    none_broken: '모든 불변식이 지켜지고 있습니다.',
    none_over: '해소된 위반 이력이 없습니다.',
    none_all: '위반 이력이 없습니다.',
    kind: '불변식',
    key: '대상',
    symbol: '종목',
    detail: '내용',
    since: '시작',
    until: '종료',
    stands: '위반 중',
    OVERSELL: '보유량 초과 매도 금지',
    BREACH: '결정된 매도는 주문이 됨',
    ORDER: '주문 상태 전이',
    HOLDINGS: '포지션과 잔고 일치',
    CACHE: '캐시와 DB 일치',
  },
);

const STATES = ['broken', 'over', 'all'] as const;

/** Invariants that do not hold, or did not. */
export function Invariants() {
  const text = useText(TEXT);
  const [state, setState] = useState<(typeof STATES)[number]>('broken');
  const list = useFollowedPages(`/api/v1/invariants?state=${state}`, zInvariantViolation);
  const words = text as unknown as Readonly<Record<string, string>>;
  const columns: readonly Column<Violation>[] = [
    {
      id: 'kind',
      title: text.kind,
      width: 'minmax(130px, 1.8fr)',
      cell: (row) => (
        <>
          <Tag tone={row.until == null ? 'bad' : 'muted'}>{row.kind}</Tag> <span title={words[row.kind]}>{words[row.kind] ?? ''}</span>
        </>
      ),
    },
    {
      id: 'key',
      title: text.key,
      width: 'minmax(120px, 1fr)',
      isSecondary: true,
      cell: (row) => (row.position_id == null ? <code title={row.key}>{row.key}</code> : <Link href={`/position/?id=${row.position_id}`}>{row.key}</Link>),
    },
    { id: 'symbol', title: text.symbol, width: '80px', isSecondary: true, cell: (row) => row.symbol ?? '' },
    { id: 'detail', title: text.detail, width: 'minmax(160px, 2.2fr)', cell: (row) => <span title={row.detail}>{row.detail}</span> },
    { id: 'since', title: text.since, width: '112px', isSecondary: true, cell: (row) => <Time at={row.since} /> },
    { id: 'until', title: text.until, width: '112px', isSecondary: true, cell: (row) => (row.until == null ? <Tag tone="bad">{text.stands}</Tag> : <Time at={row.until} />) },
  ];
  return (
    <Panel
      title={text.title}
      count={list.data?.length ?? null}
      fault={list.fault}
      onRetry={list.retry}
      isLoading={list.isLoading}
      isFlush
      actions={<Choice label={text.which} at={state} onChange={setState} options={STATES.map((value) => ({ value, label: text[value] }))} />}
    >
      <p className={css.lead}>{text.about}</p>
      {list.data?.length === 0 && (
        <p className={css.fine} data-state={state} data-testid="invariants-hold">
          {text[`none_${state}`]}
        </p>
      )}
      {list.data !== undefined && list.data.length > 0 && (
        <div data-testid="invariants">
          <DataTable label={text.title} columns={columns} rows={list.data} keyOf={(row) => String(row.id)} />
        </div>
      )}
      <PagesFoot list={list} />
    </Panel>
  );
}
