import type { z } from 'zod';

import { zOrderEvent } from '../api/generated/zod.gen';
import { formatQty } from '../money/format';
import { texts, useText } from '../text/text';
import { Tag } from '../ui/Tag';
import { FineTime, formatSpan } from './figures';
import { STATUS_TEXT, worded } from './reasons';
import css from './Timeline.module.css';

const TEXT = texts(
  {
    filled: (filled: string, qty: string) => `${filled} of ${qty} filled`,
    sent: (qty: string) => `${qty} asked of the broker`,
    attempt: (count: number) => `attempt ${count}`,
    number: (no: string) => `no. ${no}`,
    after: (span: string) => `+${span}`,
  },
  {
    filled: (filled: string, qty: string) => `${qty}주 중 ${filled}주 체결`,
    sent: (qty: string) => `${qty}주 주문`,
    attempt: (count: number) => `${count}번째 시도`,
    number: (no: string) => `주문번호 ${no}`,
    after: (span: string) => `+${span}`,
  },
);

type OrderEvent = z.infer<typeof zOrderEvent>;

/** The life of an order, one fact after the other, with how long each was in coming. */
export function Timeline({ events, qty }: { events: readonly OrderEvent[]; qty: number }) {
  const text = useText(TEXT);
  const status = useText(STATUS_TEXT);
  return (
    <ol className={css.timeline} data-testid="timeline">
      {events.map((event, index) => {
        const before = events[index - 1];
        const span = before === undefined ? null : formatSpan(before.ts, event.ts);
        const facts = [
          event.filled_qty > 0 ? text.filled(formatQty(event.filled_qty), formatQty(qty)) : null,
          event.sent_qty == null ? null : text.sent(formatQty(event.sent_qty)),
          event.send_attempt > 1 ? text.attempt(event.send_attempt) : null,
          event.broker_order_no == null ? null : text.number(event.broker_order_no),
          event.code ?? null,
        ].filter((fact) => fact !== null);
        return (
          <li key={event.event_id} className={css.event} data-status={event.status}>
            <span className={css.head}>
              <Tag>{event.status}</Tag>
              <span className={css.words}>{worded(status, event.status)}</span>
              <span className={css.time}>
                <FineTime at={event.ts} />
              </span>
            </span>
            {(facts.length > 0 || span !== null) && (
              <span className={css.facts}>
                <span>{facts.join(' · ')}</span>
                {span !== null && <span className={css.span}>{text.after(span)}</span>}
              </span>
            )}
            {event.message != null && <span className={css.message}>{event.message}</span>}
          </li>
        );
      })}
    </ol>
  );
}
