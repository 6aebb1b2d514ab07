import { useMemo } from 'react';

import { unitsOf } from '../money/decimal';
import { formatPrice, formatQty } from '../money/format';
import { useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Stock, Time } from '../ui/figures';
import { Side, Tag } from '../ui/Tag';
import { REASON_TEXT, STATUS_TEXT, worded } from './reasons';
import { askedOf, type Asked, type Order } from './state';
import { TEXT } from './text';
import css from './orders.module.css';

interface OrderTableProps {
  orders: readonly Order[];
  asked: Asked;
  openId: string | null;
  onOpen: (order: Order) => void;
  onEnd?: (() => void) | undefined;
  isLoadingMore: boolean;
}

/** The list of orders, one row each. */
export function OrderTable({ orders, asked, openId, onOpen, onEnd, isLoadingMore }: OrderTableProps) {
  const text = useText(TEXT);
  const reasons = useText(REASON_TEXT);
  const states = useText(STATUS_TEXT);
  const columns = useMemo<Column<Order>[]>(
    () => [
      { id: 'created', title: text.created, width: '78px', narrow: '80px', sort: (row) => row.created_ts, cell: (row) => <Time at={row.created_ts} /> },
      { id: 'stock', title: text.stock, width: 'minmax(92px, 1.6fr)', narrow: 'minmax(64px, 1fr)', sort: (row) => row.name, cell: (row) => <span className={css.stock}><Stock name={row.name} symbol={row.symbol} /></span> },
      { id: 'side', title: text.sideColumn, width: '56px', narrow: '46px', sort: (row) => row.side, cell: (row) => <Side side={row.side} /> },
      {
        id: 'reason',
        title: text.reason,
        width: 'minmax(96px, 1fr)',
        isSecondary: true,
        sort: (row) => row.reason_code,
        cell: (row) => <span title={worded(reasons, row.reason_code)}>{row.reason_code.replaceAll('_', ' ')}</span>,
      },
      { id: 'type', title: text.type, width: '58px', isSecondary: true, sort: (row) => row.order_type, cell: (row) => row.order_type },
      {
        id: 'filled',
        title: text.filled,
        align: 'right',
        width: 'minmax(58px, 88px)',
        sort: (row) => row.qty,
        cell: (row) => (
          <>
            {formatQty(row.filled_qty)}
            <span className={css.of}> / {formatQty(row.qty)}</span>
          </>
        ),
      },
      {
        id: 'price',
        title: text.price,
        hint: text.priceHint,
        align: 'right',
        width: 'minmax(84px, 0.8fr)',
        isSecondary: true,
        sort: (row) => row.limit_price ?? row.price,
        cell: (row) => formatPrice(unitsOf(row.limit_price ?? row.price)),
      },
      {
        id: 'status',
        title: text.status,
        width: 'minmax(94px, 132px)',
        narrow: '100px',
        sort: (row) => row.status,
        cell: (row) => {
          const ask = askedOf(asked, row);
          return ask === null ? <Tag title={worded(states, row.status)}>{row.status}</Tag> : <Tag tone="working">{text[`asked_${ask}`]}</Tag>;
        },
      },
      { id: 'updated', title: text.updated, width: '82px', isSecondary: true, sort: (row) => row.updated_ts, cell: (row) => <Time at={row.updated_ts} /> },
      {
        id: 'message',
        title: text.message,
        width: 'minmax(80px, 1.4fr)',
        isSecondary: true,
        cell: (row) => (
          <span className={css.message} title={row.message ?? undefined}>
            {row.message}
          </span>
        ),
      },
    ],
    [text, reasons, states, asked],
  );
  // Beside an open sheet there is room for what tells rows apart.
  const shown = openId === null ? columns : columns.filter(({ id }) => id !== 'message' && id !== 'type' && id !== 'updated');
  return (
    <DataTable
      label={text.title}
      columns={shown}
      rows={orders}
      keyOf={(row) => row.order_id}
      sortedBy={{ id: 'created', desc: true }}
      onOpen={onOpen}
      openKey={openId}
      height="max(320px, calc(100dvh - 234px - var(--tabs-height)))"
      isLoadingMore={isLoadingMore}
      {...(onEnd === undefined ? {} : { onEnd })}
    />
  );
}
