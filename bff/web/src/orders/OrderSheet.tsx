import Link from 'next/link';

import { zOrderDetail } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { unitsOf } from '../money/decimal';
import { formatPrice, formatQty } from '../money/format';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Stock, Time } from '../ui/figures';
import { Facts, Meter } from '../ui/layout';
import { FaultNote } from '../ui/Panel';
import { Side, Tag } from '../ui/Tag';
import { Explanation, Why } from './Explanation';
import { Fills } from './Fills';
import { Part, Sheet } from './Sheet';
import { askedOf, stageOf, type AskKind, type Asked, type Order } from './state';
import { TEXT as PAGE_TEXT } from './text';
import { Timeline } from './Timeline';
import css from './orders.module.css';

const TEXT = texts(
  {
    order: 'Order',
    loading: 'Reading the order…',
    course: 'Course',
    filled: (filled: string, qty: string) => `${filled} of ${qty} shares`,
    limit: 'Limit',
    market: 'At market',
    intent: 'Intent',
    phase: 'Phase before',
    number: 'Broker number',
    position: 'Position',
    created: 'Decided',
    key: 'Action key',
    open: 'Open the position',
  },
  {
    order: '주문',
    loading: '주문을 읽는 중…',
    course: '진행 과정',
    filled: (filled: string, qty: string) => `${qty}주 중 ${filled}주`,
    limit: '지정가',
    market: '시장가',
    intent: '의도',
    phase: '결정 전 단계',
    number: '증권사 주문번호',
    position: '포지션',
    created: '결정 시각',
    key: '동작 키',
    open: '포지션 열기',
  },
);

interface OrderSheetProps {
  id: string;
  /** The row of the list, if it is among them: it is as new as the page gets it. */
  row: Order | undefined;
  asked: Asked;
  onAsk: (kind: AskKind, order: Order) => void;
  onClose: () => void;
}

/** One order: what may be done about it, its course, why it was made, what was filled. */
export function OrderSheet({ id, row, asked, onAsk, onClose }: OrderSheetProps) {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const detail = useRead(`/api/v1/orders/${encodeURIComponent(id)}`, zOrderDetail, {
    tables: ['trade.orders', 'trade.order_events'],
  });
  const order = row ?? detail.data;
  if (order === undefined) {
    return (
      <Sheet id={id} title={text.order} onClose={onClose} testId="order-sheet">
        {detail.fault === null ? <Part>{text.loading}</Part> : <FaultNote fault={detail.fault} onRetry={detail.retry} />}
      </Sheet>
    );
  }
  const ask = askedOf(asked, order);
  const stage = stageOf(order);
  return (
    <Sheet
      id={id}
      title={<Stock name={order.name} symbol={order.symbol} />}
      about={
        <>
          <Side side={order.side} />
          <Tag>{order.status}</Tag>
          {ask !== null && <Tag tone="working">{page[`asked_${ask}`]}</Tag>}
          <span>{order.reason_code.replaceAll('_', ' ')}</span>
          <Time at={order.created_ts} />
        </>
      }
      onClose={onClose}
      testId="order-sheet"
    >
      {detail.fault !== null && <FaultNote fault={detail.fault} onRetry={detail.retry} />}
      {stage !== 'ended' && (
        <Part>
          <div className={css.buttons}>
            {stage === 'approval' && (
              <>
                <Button kind="primary" needs="TRADER" disabled={ask !== null} onClick={() => onAsk('approve', order)}>
                  {page.approve}
                </Button>
                <Button needs="TRADER" disabled={ask !== null} onClick={() => onAsk('reject', order)}>
                  {page.reject}
                </Button>
              </>
            )}
            <Button kind="danger" needs="TRADER" disabled={ask !== null} onClick={() => onAsk('cancel', order)}>
              {page.cancel}
            </Button>
          </div>
        </Part>
      )}
      <Part title={page.filled} note={text.filled(formatQty(order.filled_qty), formatQty(order.qty))}>
        <div className={css.progress}>
          <Meter label={page.filled} value={order.qty === 0 ? 0 : (order.filled_qty / order.qty) * 0.999} warnAt={2} />
          <span>{order.qty === 0 ? 0 : Math.floor((order.filled_qty / order.qty) * 100)} %</span>
        </div>
        <Facts
          facts={[
            [page.type, order.limit_price == null ? text.market : `${text.limit} ${formatPrice(unitsOf(order.limit_price))}`],
            [text.intent, order.intent_type.replaceAll('_', ' ')],
            ...(order.phase == null ? [] : [[text.phase, order.phase.replaceAll('_', ' ')] as const]),
            ...(order.broker_order_no == null ? [] : [[text.number, order.broker_order_no] as const]),
            ...(order.position_id == null
              ? []
              : [
                  [
                    text.position,
                    <Link key="position" href={`/position/?id=${order.position_id}`}>
                      {text.open}
                    </Link>,
                  ] as const,
                ]),
          ]}
        />
      </Part>
      <Why order={order} />
      <Part title={text.course}>
        {detail.data === undefined ? <p className={css.muted}>{text.loading}</p> : <Timeline events={detail.data.events} qty={order.qty} />}
      </Part>
      <Fills order={order} />
      {detail.data !== undefined && <Explanation explanation={detail.data.explanation} reason={order.reason_code} />}
      <Part title={text.key}>
        <code>{order.action_key}</code>
      </Part>
    </Sheet>
  );
}
