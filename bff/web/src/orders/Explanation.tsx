import Link from 'next/link';

import { unitsOf } from '../money/decimal';
import { formatPrice, formatQty } from '../money/format';
import { texts, useText } from '../text/text';
import { groupsOf, ordersOf, ruleOfReason, rulesOf, runsOf, textOf, type Input } from './inputs';
import { GROUP_TEXT, INPUT_TEXT, TERM_TEXT } from './inputText';
import { REASON_TEXT, worded } from './reasons';
import { Part } from './Sheet';
import type { Order } from './state';
import css from './Explanation.module.css';

const TEXT = texts(
  {
    why: 'Why',
    inputs: 'Every input of the decision',
    price: 'price',
    level: 'level',
    none: 'This order was not decided by the engine: it keeps no inputs.',
  },
  {
    why: '이유',
    inputs: '결정의 모든 입력값',
    price: '가격',
    level: '기준',
    none: '엔진이 결정한 주문이 아니므로 입력값이 없습니다.',
  },
);

/** The price that was judged beside the level that it had to reach. */
export function Why({ order }: { order: Order }) {
  const text = useText(TEXT);
  const reasons = useText(REASON_TEXT);
  return (
    <Part title={text.why}>
      <p className={css.why} data-testid="why">
        <b>{worded(reasons, order.reason_code)}</b>
        <span className={css.judged}>
          {text.price} <b>{formatPrice(unitsOf(order.price))}</b>
          {order.price !== order.level && (
            <>
              {order.price < order.level ? ' ≤ ' : ' ≥ '}
              {text.level} <b>{formatPrice(unitsOf(order.level))}</b>
            </>
          )}
        </span>
      </p>
    </Part>
  );
}

function Value({ input }: { input: Input }) {
  if (input.kind === 'position' && typeof input.value === 'string') {
    return (
      <Link href={`/position/?id=${input.value}`} className={css.link}>
        <code>{input.value.slice(0, 8)}</code>
      </Link>
    );
  }
  return <>{textOf(input)}</>;
}

/** All that the decision was made from: from it alone the engine makes the same decision again. */
export function Explanation({ explanation, reason }: { explanation: Record<string, unknown>; reason: string }) {
  const text = useText(TEXT);
  const names = useText(INPUT_TEXT);
  const words = useText(GROUP_TEXT);
  const terms = useText(TERM_TEXT);
  const groups = groupsOf(explanation);
  const rules = rulesOf(explanation);
  const orders = ordersOf(explanation);
  const runs = runsOf(explanation);
  return (
    <Part title={text.inputs}>
      {groups.length === 0 && rules.length === 0 && <p className={css.none}>{text.none}</p>}
      <div className={css.groups} data-testid="inputs">
        {groups.map(({ group, inputs }) => (
          <div key={group}>
            <h4 className={css.group}>{words[group]}</h4>
            <dl className={css.inputs}>
              {inputs.map((input) => (
                <div key={input.name} data-input={input.name}>
                  <dt>{worded(names, input.name)}</dt>
                  <dd>
                    <Value input={input} />
                  </dd>
                </div>
              ))}
            </dl>
          </div>
        ))}
        {runs.length > 0 && (
          <div>
            <h4 className={css.group}>{words.runs}</h4>
            <dl className={css.inputs}>
              {runs.map(({ name, isConfirmed }) => (
                <div key={name}>
                  <dt>{name.replaceAll('_', ' ')}</dt>
                  <dd>{isConfirmed ? words.confirmed : words.begun}</dd>
                </div>
              ))}
            </dl>
          </div>
        )}
        {orders.length > 0 && (
          <div>
            <h4 className={css.group}>{words.orders}</h4>
            <dl className={css.inputs}>
              {orders.map((order) => (
                <div key={order.key} title={order.key}>
                  <dt>{order.reason}</dt>
                  <dd>
                    {order.status} {formatQty(order.filled)} / {formatQty(order.qty)}
                  </dd>
                </div>
              ))}
            </dl>
          </div>
        )}
        {rules.length > 0 && (
          <div className={css.wide}>
            <h4 className={css.group}>{words.rules}</h4>
            <dl className={css.rules}>
              {rules.map((rule) => (
                <div key={rule.name} aria-current={rule.name === ruleOfReason(reason) ? 'true' : undefined}>
                  <dt>{rule.name.replaceAll('_', ' ').toUpperCase()}</dt>
                  <dd>
                    {rule.terms.map(([term, value]) => (
                      <span key={term} className={css.term}>
                        {worded(terms, term)} <b>{value}</b>
                      </span>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </div>
        )}
      </div>
    </Part>
  );
}
