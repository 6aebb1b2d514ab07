'use client';

import Link from 'next/link';
import { useMemo, useState } from 'react';
import type { z } from 'zod';

import { zPickDecision } from '../api/generated/zod.gen';
import { usePages } from '../api/hooks';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, Price, Stock, Time } from '../ui/figures';
import { Choice } from '../ui/form';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import css from './tabs.module.css';

const TEXT = texts(
  {
    title: 'Decisions',
    which: 'Which decisions',
    decided: 'Decided',
    held: 'Held',
    at: 'At',
    stock: 'Stock',
    decision: 'Decision',
    mode: 'Merged by',
    score: 'Score',
    qty: 'Qty',
    limit: 'At most',
    why: 'Why',
    empty: 'Nothing has been decided yet. Each symbol is decided once a day, when the picks are merged.',
    emptyHeld: 'Nothing was held back.',
    order: 'order',
  },
  {
    title: '결정',
    which: '구분',
    decided: '결정',
    held: '보류',
    at: '시각',
    stock: '종목',
    decision: '결정',
    mode: '병합 방식',
    score: '점수',
    qty: '수량',
    limit: '상한가',
    why: '사유',
    empty: '아직 결정이 없습니다. 추천을 병합할 때 종목별로 하루 한 번 결정합니다.',
    emptyHeld: '보류된 추천이 없습니다.',
    order: '주문',
  },
);

type Decision = z.infer<typeof zPickDecision>;

/** What was decided on picks, or what held them: the gate and its reason. */
export function Decisions() {
  const text = useText(TEXT);
  const [which, setWhich] = useState<'decided' | 'held'>('decided');
  const pages = usePages(`/api/v1/pick_decisions?which=${which}`, zPickDecision, { tables: ['trade.pick_decisions', 'trade.pick_runs', 'trade.orders'] });
  const columns = useMemo<Column<Decision>[]>(
    () => [
      { id: 'at', title: text.at, width: '108px', sort: (row) => row.created_ts, cell: (row) => <Time at={row.created_ts} /> },
      { id: 'stock', title: text.stock, width: 'minmax(120px, 1.2fr)', sort: (row) => row.name, cell: (row) => <Stock name={row.name} symbol={row.symbol} /> },
      {
        id: 'decision',
        title: text.decision,
        width: '88px',
        sort: (row) => row.decision,
        cell: (row) => <Tag tone={row.decision === 'PLACED' ? 'good' : row.decision === 'HELD' ? 'warn' : 'bad'}>{row.decision}</Tag>,
      },
      { id: 'mode', title: text.mode, width: '84px', isSecondary: true, sort: (row) => row.mode, cell: (row) => row.mode.toLowerCase() },
      { id: 'score', title: text.score, width: '56px', align: 'right', isSecondary: true, sort: (row) => row.score, cell: (row) => row.score.toFixed(2) },
      { id: 'qty', title: text.qty, width: '54px', align: 'right', isSecondary: true, sort: (row) => row.qty, cell: (row) => <Count value={row.qty} /> },
      { id: 'limit', title: text.limit, width: '88px', align: 'right', isSecondary: true, sort: (row) => row.limit_price, cell: (row) => <Price value={row.limit_price} /> },
      {
        id: 'why',
        title: text.why,
        width: 'minmax(190px, 3fr)',
        cell: (row) => {
          const why = row.request_message ?? row.reason;
          return (
            <span title={why ?? undefined}>
              {row.gate != null && <Tag tone="plain">{row.gate}</Tag>} {why ?? ''}
              {row.order_id != null && (
                <Link className={css.link} href={`/orders/?id=${row.order_id}`}>
                  {text.order}
                </Link>
              )}
            </span>
          );
        },
      },
    ],
    [text],
  );
  const rows = pages.data ?? [];
  return (
    <Panel
      title={text.title}
      count={rows.length === 0 ? null : rows.length}
      actions={
        <Choice
          label={text.which}
          at={which}
          onChange={setWhich}
          options={[
            { value: 'decided', label: text.decided },
            { value: 'held', label: text.held },
          ]}
        />
      }
      fault={pages.fault}
      onRetry={pages.retry}
      isLoading={pages.isLoading}
      empty={pages.data !== undefined && rows.length === 0 ? (which === 'decided' ? text.empty : text.emptyHeld) : null}
      isFlush
    >
      <DataTable
        label={text.title}
        columns={columns}
        rows={rows}
        keyOf={(row) => String(row.id)}
        height="min(66vh, 620px)"
        isLoadingMore={pages.isLoadingMore}
        {...(pages.hasMore ? { onEnd: pages.more } : {})}
      />
    </Panel>
  );
}
