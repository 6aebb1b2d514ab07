import { memo, type ReactNode } from 'react';

import type { Listing } from '../feed/desk';
import type { Feed } from '../feed/feed';
import type {
  Execution,
  ExitEvent,
  ListName,
  Order,
  ReentryVerdict,
} from '../feed/messages';
import { unitsOf } from '../money/decimal';
import {
  basisPointsOfPercent,
  formatBasisPoints,
  formatPrice,
  formatQty,
  formatSignedPrice,
  formatSignedWon,
} from '../money/format';
import { Code, Side, Signed, Status, Stock, Time } from './cells';
import { Panel } from './Panel';
import css from './HistoryPanels.module.css';
import { RowCells, Table, type Column } from './Table';

interface HistoryProps<Row> {
  listing: Listing<Row>;
  feed: Feed | null;
}

interface HistoryKind<Row> {
  name: ListName;
  title: string;
  emptyText: string;
  columns: readonly Column<Row>[];
  keyOf: (row: Row) => string | number;
}

/** Makes a panel of what happened last, newest first as the server gives it. */
function historyPanel<Row>({ name, title, emptyText, columns, keyOf }: HistoryKind<Row>) {
  function HistoryPanel({ listing, feed }: HistoryProps<Row>): ReactNode {
    return (
      <Panel
        title={title}
        count={listing.rows?.length ?? null}
        fault={listing.fault}
        emptyText={emptyText}
        onRetry={() => feed?.refetch(name)}
      >
        <Table label={title} columns={columns}>
          {listing.rows?.map((row) => (
            <tr key={keyOf(row)}>
              <RowCells columns={columns} row={row} />
            </tr>
          ))}
        </Table>
      </Panel>
    );
  }
  return memo(HistoryPanel);
}

const stock = {
  title: 'Stock',
  cell: (row: { name: string | null; symbol: string }) => (
    <Stock name={row.name} symbol={row.symbol} />
  ),
};

const side = { title: 'Side', cell: (row: { side: string }) => <Side side={row.side} /> };

function Reason({ text }: { text: string | null | undefined }) {
  return text ? <span className={css.reason} title={text}>{text}</span> : null;
}

export const OrdersPanel = historyPanel<Order>({
  name: 'orders',
  title: 'Last orders',
  emptyText: 'No order yet.',
  keyOf: (order) => order.order_id,
  columns: [
    { title: 'Time', cell: (order) => <Time at={order.created_ts} /> },
    stock,
    side,
    {
      title: 'Qty',
      hint: 'Shares filled of shares ordered',
      align: 'right',
      cell: (order) => (
        <>
          {formatQty(order.filled_qty)}
          <span className={css.of}> / {formatQty(order.qty)}</span>
        </>
      ),
    },
    { title: 'Reason', cell: (order) => <Code>{order.reason_code}</Code> },
    {
      title: 'Status',
      cell: (order) => (
        <>
          <Status status={order.status} /> <Reason text={order.message} />
        </>
      ),
    },
    {
      title: 'Level',
      hint: 'Price that had to be reached',
      align: 'right',
      cell: (order) => formatPrice(unitsOf(order.level)),
    },
    {
      title: 'Price',
      hint: 'Price on which it was decided',
      align: 'right',
      cell: (order) => formatPrice(unitsOf(order.price)),
    },
    {
      title: 'Type',
      isSecondary: true,
      cell: (order) =>
        order.limit_price === null
          ? order.order_type
          : `${order.order_type} ${formatPrice(unitsOf(order.limit_price))}`,
    },
    {
      title: 'Broker no.',
      align: 'right',
      cell: (order) => <Code>{order.broker_order_no}</Code>,
    },
  ],
});

export const ExitEventsPanel = historyPanel<ExitEvent>({
  name: 'exitEvents',
  title: 'Last exits',
  emptyText: 'No position was closed yet.',
  keyOf: (event) => event.exit_event_id,
  columns: [
    { title: 'Time', cell: (event) => <Time at={event.exit_ts} /> },
    stock,
    { title: 'Reason', cell: (event) => <Code>{event.exit_reason_code}</Code> },
    { title: 'Qty', align: 'right', cell: (event) => formatQty(event.exit_qty) },
    {
      title: 'Average',
      align: 'right',
      cell: (event) => formatPrice(unitsOf(event.exit_avg_price)),
    },
    {
      title: 'Realised P&L',
      hint: 'In won, net of fees and tax',
      align: 'right',
      cell: ({ realized_pnl, realized_pnl_pct }) => {
        const pnl = unitsOf(realized_pnl);
        const percent = basisPointsOfPercent(realized_pnl_pct);
        return (
          <Signed
            sign={pnl}
            text={`${formatSignedWon(pnl)} (${formatBasisPoints(percent)})`}
            basisPoints={percent}
            title={`${formatSignedPrice(pnl)} KRW exactly`}
          />
        );
      },
    },
  ],
});

export const ExecutionsPanel = historyPanel<Execution>({
  name: 'executions',
  title: 'Last executions',
  emptyText: 'No execution yet.',
  keyOf: (execution) => execution.fill_id,
  columns: [
    { title: 'Time', cell: (execution) => <Time at={execution.ts} /> },
    stock,
    side,
    { title: 'Qty', align: 'right', cell: (execution) => formatQty(execution.qty) },
    {
      title: 'Price',
      align: 'right',
      cell: (execution) => formatPrice(unitsOf(execution.price)),
    },
    {
      title: 'Fee + tax',
      align: 'right',
      cell: (execution) =>
        formatPrice((unitsOf(execution.fee) ?? 0n) + (unitsOf(execution.tax) ?? 0n)),
    },
    {
      title: 'Source',
      hint: 'Told by an execution notice or found by polling',
      isSecondary: true,
      cell: (execution) => <Code>{execution.source}</Code>,
    },
  ],
});

export const ReentryPanel = historyPanel<ReentryVerdict>({
  name: 'reentry',
  title: 'Last re-entry verdicts',
  emptyText: 'No exit was judged for re-entry yet.',
  keyOf: (verdict) => verdict.id,
  columns: [
    { title: 'Time', cell: (verdict) => <Time at={verdict.ts} /> },
    stock,
    { title: 'Status', cell: (verdict) => <Status status={verdict.status} /> },
    { title: 'Gate', cell: (verdict) => <Code>{verdict.gate}</Code> },
    { title: 'Reason', cell: (verdict) => <Reason text={verdict.reason} /> },
    {
      title: 'Price',
      align: 'right',
      cell: (verdict) => formatPrice(unitsOf(verdict.price)),
    },
    { title: 'Rule', isSecondary: true, cell: (verdict) => <Code>{verdict.rule_id}</Code> },
  ],
});
