import Link from 'next/link';

import { zOrderDetail } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { Timeline } from '../orders/Timeline';
import { useText } from '../text/text';
import { Button } from '../ui/Button';
import { Time } from '../ui/figures';
import { Tag } from '../ui/Tag';
import css from './sell.module.css';
import type { Sale } from './SellDialog';
import { SELL_TEXT } from './sellText';

interface SaleOutcomeProps {
  sale: Sale;
  /** Nothing more is asked: it has an end, or the patience has. */
  isOver: boolean;
  onEdit: () => void;
  onClose: () => void;
}

/** What became of a sale: asked, then ordered with the course of its order, or why not. */
export function SaleOutcome({ sale, isOver, onEdit, onClose }: SaleOutcomeProps) {
  const text = useText(SELL_TEXT);
  const path = sale.order_id == null ? null : `/api/v1/orders/${sale.order_id}`;
  const order = useRead(path, zOrderDetail, { tables: ['trade.orders', 'trade.order_events'] });
  const isRefused = sale.state === 'REFUSED';
  const said = {
    ASKED: isOver ? text.slow : text.asked,
    ORDERED: text.ORDERED,
    WITHDRAWN: text.WITHDRAWN,
    REFUSED: sale.message ?? text.REFUSED,
  }[sale.state];
  return (
    <div className={css.form} data-testid="sell-outcome" data-state={sale.state} aria-live="polite">
      <p className={css.state}>
        <Tag>{sale.state}</Tag>
        <span className={isRefused ? css.warn : undefined}>{said ?? sale.state}</span>
        <span className={css.muted}>
          <Time at={sale.updated_ts} />
        </span>
      </p>
      {order.data !== undefined && <Timeline events={order.data.events} qty={order.data.qty} />}
      <div className={css.actions}>
        {isRefused && <Button onClick={onEdit}>{text.again}</Button>}
        {sale.order_id != null && (
          <Link className={css.link} href={`/orders/?id=${sale.order_id}`}>
            {text.open}
          </Link>
        )}
        <Button kind="primary" onClick={onClose} data-testid="sell-close">
          {text.close}
        </Button>
      </div>
    </div>
  );
}
