'use client';

import { useMemo, useState } from 'react';
import type { z } from 'zod';

import { zAttribution, zShare } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { unitsOf } from '../money/decimal';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { SignedWon, Stock, Won } from '../ui/figures';
import { Choice } from '../ui/form';
import { Panel } from '../ui/Panel';
import { formatHolding, PERFORMANCE_TABLES, queryOf, SLOW_MS, type Scope } from './performance';
import css from './AttributionPanel.module.css';

const TEXT = texts(
  {
    title: 'Attribution',
    by: 'Attributed by',
    by_exit_reason: 'Exit reason',
    by_strategy: 'Strategy',
    by_symbol: 'Symbol',
    trades: 'Trades',
    won: 'Won',
    result: 'Result',
    costs: 'Fee + tax',
    held: 'Held',
    heldHint: 'From entry to exit, on average',
    empty: 'No position was closed in this period, so there is nothing to attribute.',
  },
  {
    title: '손익 귀속',
    by: '귀속 기준',
    by_exit_reason: '청산 사유',
    by_strategy: '전략',
    by_symbol: '종목',
    trades: '거래',
    won: '승률',
    result: '손익',
    costs: '수수료+세금',
    held: '보유',
    heldHint: '진입부터 청산까지 평균',
    empty: '이 기간에 청산된 포지션이 없어 귀속할 손익이 없습니다.',
  },
);

type Share = z.infer<typeof zShare>;
type By = 'by_exit_reason' | 'by_strategy' | 'by_symbol';
const BYS: readonly By[] = ['by_exit_reason', 'by_strategy', 'by_symbol'];

/** A result from the middle: gains to the right, losses to the left. */
function Result({ share, most }: { share: Share; most: number }) {
  const part = Math.min(50, (Math.abs(share.realized_pnl) / most) * 50);
  const isLoss = share.realized_pnl < 0;
  return (
    <span className={css.result}>
      <span className={css.track} aria-hidden="true">
        <i data-loss={isLoss} style={{ width: `${part}%`, left: `${isLoss ? 50 - part : 50}%` }} />
      </span>
      <SignedWon value={share.realized_pnl} />
    </span>
  );
}

/** Where the result of the closed positions comes from. */
export function AttributionPanel({ scope }: { scope: Scope }) {
  const text = useText(TEXT);
  const [by, setBy] = useState<By>('by_exit_reason');
  const { data, fault, isLoading, retry } = useRead(`/api/v1/performance/attribution?${queryOf(scope)}`, zAttribution, {
    tables: PERFORMANCE_TABLES,
    everyMs: SLOW_MS,
  });
  const rows = data?.[by] ?? [];
  const most = Math.max(1, ...rows.map((row) => Math.abs(row.realized_pnl)));
  const columns = useMemo<Column<Share>[]>(
    () => [
      {
        id: 'key',
        title: text[by],
        width: 'minmax(110px, 1.3fr)',
        sort: (row) => row.name ?? row.key,
        cell: (row) => (by === 'by_symbol' ? <Stock name={row.name ?? null} symbol={row.key} /> : <span>{row.key.replaceAll('_', ' ')}</span>),
      },
      { id: 'trades', title: text.trades, width: '62px', align: 'right', sort: (row) => row.trades, cell: (row) => row.trades },
      { id: 'won', title: text.won, width: '62px', align: 'right', isSecondary: true, sort: (row) => row.wins / row.trades, cell: (row) => `${((row.wins / row.trades) * 100).toFixed(0)} %` },
      { id: 'result', title: text.result, width: 'minmax(150px, 2fr)', align: 'right', sort: (row) => row.realized_pnl, cell: (row) => <Result share={row} most={most} /> },
      { id: 'costs', title: text.costs, width: '92px', align: 'right', isSecondary: true, sort: (row) => row.fee + row.tax, cell: (row) => <Won value={(unitsOf(row.fee) ?? 0n) + (unitsOf(row.tax) ?? 0n)} /> },
      { id: 'held', title: text.held, hint: text.heldHint, width: '84px', align: 'right', isSecondary: true, sort: (row) => row.average_holding_seconds, cell: (row) => formatHolding(row.average_holding_seconds) },
    ],
    [text, by, most],
  );
  return (
    <Panel
      title={text.title}
      count={rows.length === 0 ? null : rows.length}
      actions={<Choice label={text.by} at={by} onChange={setBy} options={BYS.map((value) => ({ value, label: text[value] }))} />}
      fault={fault}
      onRetry={retry}
      isLoading={isLoading}
      empty={data !== undefined && rows.length === 0 ? text.empty : null}
      isFlush
    >
      <DataTable key={by} label={text.title} columns={columns} rows={rows} keyOf={(row) => row.key} sortedBy={{ id: 'result', desc: true }} height="300px" />
    </Panel>
  );
}
