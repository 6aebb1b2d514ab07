'use client';

import { useMemo } from 'react';
import Link from 'next/link';
import type { z } from 'zod';

import { zTrade } from '../api/generated/zod.gen';
import { usePages } from '../api/hooks';
import { unitsOf } from '../money/decimal';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, Percent, Price, SignedWon, Stock, Time, Won } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { microsOf } from '../live/instant';
import { formatHolding, PERFORMANCE_TABLES, queryOf, SLOW_MS, type Scope } from './performance';
import css from './tables.module.css';

const TEXT = texts(
  {
    title: 'Closed trades',
    exit: 'Closed',
    stock: 'Stock',
    reason: 'Exit reason',
    source: 'Source',
    qty: 'Qty',
    entry: 'Cost',
    out: 'Sold at',
    held: 'Held',
    pnl: 'P&L',
    part: 'Return',
    costs: 'Fee + tax',
    strategy: 'Strategy',
    empty: 'No position was closed in this period. A trade appears here when the last share of a position is sold.',
    position: 'Position',
  },
  {
    title: '청산 거래',
    exit: '청산 시각',
    stock: '종목',
    reason: '청산 사유',
    source: '출처',
    qty: '수량',
    entry: '취득가',
    out: '매도가',
    held: '보유',
    pnl: '손익',
    part: '수익률',
    costs: '수수료+세금',
    strategy: '전략',
    empty: '이 기간에 청산된 포지션이 없습니다. 포지션의 마지막 주식이 매도되면 여기에 표시됩니다.',
    position: '포지션',
  },
);

type Trade = z.infer<typeof zTrade>;

function heldOf(trade: Trade): number {
  const [from, to] = [microsOf(trade.entry_ts), microsOf(trade.exit_ts)];
  return from === null || to === null ? 0 : Math.max(0, Math.round(Number(to - from) / 1e6));
}

/** Closed positions of the period, last exit first; each leads to its position. */
export function TradesPanel({ scope }: { scope: Scope }) {
  const text = useText(TEXT);
  const pages = usePages(`/api/v1/performance/trades?${queryOf(scope)}`, zTrade, { tables: PERFORMANCE_TABLES, everyMs: SLOW_MS });
  const columns = useMemo<Column<Trade>[]>(
    () => [
      { id: 'exit', title: text.exit, width: '116px', isSecondary: true, sort: (row) => row.exit_ts, cell: (row) => <Time at={row.exit_ts} /> },
      { id: 'stock', title: text.stock, width: 'minmax(126px, 1.6fr)', sort: (row) => row.name ?? row.symbol, cell: (row) => <Stock name={row.name ?? null} symbol={row.symbol} /> },
      { id: 'reason', title: text.reason, width: '108px', sort: (row) => row.exit_reason_code, cell: (row) => <Tag tone="plain">{row.exit_reason_code}</Tag> },
      { id: 'source', title: text.source, width: '92px', isSecondary: true, sort: (row) => row.source, cell: (row) => row.source.replaceAll('_', ' ').toLowerCase() },
      { id: 'strategy', title: text.strategy, width: 'minmax(70px, 0.7fr)', isSecondary: true, sort: (row) => row.strategy_id, cell: (row) => row.strategy_id },
      { id: 'qty', title: text.qty, width: '60px', align: 'right', isSecondary: true, sort: (row) => row.qty, cell: (row) => <Count value={row.qty} /> },
      { id: 'entry', title: text.entry, width: '104px', align: 'right', isSecondary: true, sort: (row) => row.entry_avg_price, cell: (row) => <Price value={row.entry_avg_price} /> },
      { id: 'out', title: text.out, width: '112px', align: 'right', isSecondary: true, sort: (row) => row.exit_avg_price, cell: (row) => <Price value={row.exit_avg_price} /> },
      { id: 'held', title: text.held, width: '84px', align: 'right', isSecondary: true, sort: heldOf, cell: (row) => formatHolding(heldOf(row)) },
      { id: 'costs', title: text.costs, width: '92px', align: 'right', isSecondary: true, sort: (row) => row.fee + row.tax, cell: (row) => <Won value={(unitsOf(row.fee) ?? 0n) + (unitsOf(row.tax) ?? 0n)} /> },
      { id: 'pnl', title: text.pnl, width: '104px', align: 'right', sort: (row) => row.realized_pnl, cell: (row) => <SignedWon value={row.realized_pnl} /> },
      { id: 'part', title: text.part, width: '80px', align: 'right', sort: (row) => row.realized_pnl_pct, cell: (row) => <Percent value={row.realized_pnl_pct} /> },
      {
        id: 'position',
        title: text.position,
        width: '76px',
        isSecondary: true,
        cell: (row) => (
          <Link className={css.link} href={`/position/?id=${row.position_id}`}>
            {text.position}
          </Link>
        ),
      },
    ],
    [text],
  );
  const rows = pages.data ?? [];
  return (
    <Panel
      title={text.title}
      fault={pages.fault}
      onRetry={pages.retry}
      isLoading={pages.isLoading}
      empty={pages.data !== undefined && rows.length === 0 ? text.empty : null}
      isFlush
    >
      <DataTable
        label={text.title}
        columns={columns}
        rows={rows}
        keyOf={(row) => row.exit_event_id}
        height="min(56vh, 480px)"
        isLoadingMore={pages.isLoadingMore}
        {...(pages.hasMore ? { onEnd: pages.more } : {})}
      />
    </Panel>
  );
}
