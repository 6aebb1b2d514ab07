import { ChevronRight } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';

import { zOrderDetail } from '../api/generated/zod.gen';
import { useRead, type Pages } from '../api/hooks';
import { unitsOf } from '../money/decimal';
import { formatPrice, formatQty } from '../money/format';
import { REASON_TEXT, worded } from '../orders/reasons';
import { Timeline } from '../orders/Timeline';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Time } from '../ui/figures';
import { FaultNote, Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import type { Order } from './verdicts';
import css from './orders.module.css';

const TEXT = texts(
  {
    title: 'Orders',
    none: 'No order yet. A rule that fires makes one, and so does selling by hand.',
    judged: (price: string, level: string) => `judged at ${price}, level ${level}`,
    filled: (filled: string, qty: string) => `${filled} / ${qty}`,
    open: 'All inputs of the decision',
    more: 'Older orders',
    loading: 'Loading events…',
  },
  {
    title: '주문',
    none: '아직 주문이 없습니다. 규칙이 발동하거나 직접 매도하면 생깁니다.',
    judged: (price: string, level: string) => `판단가 ${price}, 기준 ${level}`,
    filled: (filled: string, qty: string) => `${filled} / ${qty}`,
    open: '결정의 모든 입력값',
    more: '이전 주문',
    loading: '이벤트 불러오는 중…',
  },
);

/** The events of one order, read when it is opened. */
function Events({ order }: { order: Order }) {
  const text = useText(TEXT);
  const detail = useRead(`/api/v1/orders/${order.order_id}`, zOrderDetail, { tables: ['trade.orders', 'trade.order_events'] });
  return (
    <div className={css.events}>
      {detail.fault !== null && <FaultNote fault={detail.fault} onRetry={detail.retry} />}
      {detail.data === undefined ? <p className={css.muted}>{text.loading}</p> : <Timeline events={detail.data.events} qty={order.qty} />}
      <Link className={css.link} href={`/orders/?id=${order.order_id}`}>
        {text.open}
      </Link>
    </div>
  );
}

/** The orders of the position, newest first; each opens into the course it took. */
export function OrdersPanel({ orders }: { orders: Pages<Order> }) {
  const text = useText(TEXT);
  const reasons = useText(REASON_TEXT);
  const [chosen, setChosen] = useState<string | null | undefined>(undefined);
  const rows = orders.data ?? [];
  // Until one is chosen the newest shows its course.
  const openId = chosen === undefined ? rows[0]?.order_id : chosen;
  return (
    <Panel
      title={text.title}
      count={rows.length === 0 ? null : rows.length}
      isFlush
      isLoading={orders.isLoading}
      fault={orders.fault}
      onRetry={orders.retry}
      empty={rows.length === 0 ? text.none : null}
    >
      <ul className={css.orders} data-testid="orders">
        {rows.map((order) => {
          const isOpen = order.order_id === openId;
          return (
            <li key={order.order_id} data-testid="order" data-id={order.order_id}>
              <button
                type="button"
                className={css.order}
                aria-expanded={isOpen}
                onClick={() => setChosen(isOpen ? null : order.order_id)}
              >
                <ChevronRight size={14} aria-hidden="true" className={css.chevron} />
                <b title={worded(reasons, order.reason_code)}>{order.reason_code.replaceAll('_', ' ')}</b>
                <Tag>{order.status}</Tag>
                <span className={css.judged}>{text.judged(formatPrice(unitsOf(order.price)), formatPrice(unitsOf(order.level)))}</span>
                <span className={css.qty}>{text.filled(formatQty(order.filled_qty), formatQty(order.qty))}</span>
                <span className={css.muted}>
                  <Time at={order.created_ts} />
                </span>
              </button>
              {isOpen && <Events order={order} />}
            </li>
          );
        })}
      </ul>
      {orders.hasMore && (
        <Button className={css.more} kind="quiet" isBusy={orders.isLoadingMore} onClick={orders.more}>
          {text.more}
        </Button>
      )}
    </Panel>
  );
}
