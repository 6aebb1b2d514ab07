import { unitsOf } from '../money/decimal';
import { formatPrice, formatQty } from '../money/format';
import { useText } from '../text/text';
import { Button } from '../ui/Button';
import { Stock, Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Side, Tag } from '../ui/Tag';
import { REASON_TEXT, worded } from './reasons';
import { askedOf, type AskKind, type Asked, type Order } from './state';
import { TEXT } from './text';
import css from './orders.module.css';

/** Orders that wait for the operator, above everything else while there are any. */
export function Waiting({ orders, asked, onAsk, onOpen }: { orders: readonly Order[]; asked: Asked; onAsk: (kind: AskKind, order: Order) => void; onOpen: (order: Order) => void }) {
  const text = useText(TEXT);
  const reasons = useText(REASON_TEXT);
  if (orders.length === 0) return null;
  return (
    <Panel title={text.waits} count={orders.length} isFlush className={css.waits ?? ''}>
      {orders.map((order) => {
        const ask = askedOf(asked, order);
        return (
          <div key={order.order_id} className={css.waiting} data-testid={`waits-${order.order_id}`}>
            <span className={css.what}>
              <Side side={order.side} />
              <Stock name={order.name} symbol={order.symbol} />
              <span>
                {text.qty(formatQty(order.qty))} · {order.limit_price == null ? text.market : formatPrice(unitsOf(order.limit_price))}
              </span>
              <span className={css.muted}>{worded(reasons, order.reason_code)}</span>
              <span className={css.muted}>
                <Time at={order.created_ts} />
              </span>
            </span>
            {ask !== null ? (
              <Tag tone="working">{text[`asked_${ask}`]}</Tag>
            ) : (
              <span className={css.buttons}>
                <Button size="small" kind="primary" needs="TRADER" onClick={() => onAsk('approve', order)}>
                  {text.approve}
                </Button>
                <Button size="small" needs="TRADER" onClick={() => onAsk('reject', order)}>
                  {text.reject}
                </Button>
                <Button size="small" kind="quiet" onClick={() => onOpen(order)}>
                  {text.details}
                </Button>
              </span>
            )}
          </div>
        );
      })}
    </Panel>
  );
}
