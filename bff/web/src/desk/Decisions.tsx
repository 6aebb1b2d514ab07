import Link from 'next/link';

import { useTopic } from '../live/provider';
import { useText } from '../text/text';
import { Count, Price, Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Side, Tag } from '../ui/Tag';
import { DESK_TEXT } from './text';
import css from './Decisions.module.css';

/** Decisions that are shown. */
const SHOWN = 40;

/** What was decided last, with what became of it. */
export function Decisions() {
  const text = useText(DESK_TEXT);
  const { rows, isReady } = useTopic('orders');
  return (
    <Panel
      title={text.decisions}
      isLoading={!isReady}
      empty={isReady && rows.length === 0 ? text.noDecision : null}
      isFlush
      className={css.panel ?? ''}
    >
      <ul className={css.list} data-testid="decisions" tabIndex={0} aria-label={text.decisions}>
        {rows.slice(0, SHOWN).map((order) => (
          <li key={order.order_id}>
            <Link href={`/orders/?id=${order.order_id}`} className={css.row} data-order={order.order_id}>
              <span className={css.when}>
                <Time at={order.created_ts} />
              </span>
              <span className={css.what}>
                <span lang="ko">{order.name}</span> <Side side={order.side} /> <b>{order.reason_code.replaceAll('_', ' ')}</b>
              </span>
              <span className={css.how}>
                <Count value={order.qty} /> {text.at} <Price value={order.price} />
              </span>
              <Tag>{order.status}</Tag>
            </Link>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
