'use client';

import { unitsOf } from '../money/decimal';
import { texts, useText } from '../text/text';
import { Dialog } from '../ui/Dialog';
import { Count, Price, Time, Won } from '../ui/figures';
import { Facts } from '../ui/layout';
import { Tag } from '../ui/Tag';
import { CheckFigure } from './CheckFigure';
import { NameOf } from './NameOf';
import { UsageBar } from './UsageBar';
import type { Violation } from './risk';
import { RISK_TEXT, said } from './words';
import css from './risk.module.css';

const TEXT = texts(
  {
    title: 'Refused entry',
    time: 'Time',
    stock: 'Stock',
    order: 'Order',
    amount: 'Amount',
    key: 'Action key',
    checks: 'Checks, in their order',
    check: 'Check',
    after: 'After the order',
    limit: 'Limit',
    usage: 'Use',
    passed: 'passed',
    refused: 'refused',
    rest: 'The gate stops at the first check that refuses; those after it were not made.',
  },
  {
    title: '거부된 진입',
    time: '시각',
    stock: '종목',
    order: '주문',
    amount: '금액',
    key: '액션 키',
    checks: '심사 순서',
    check: '심사',
    after: '주문 후',
    limit: '한도',
    usage: '사용률',
    passed: '통과',
    refused: '거부',
    rest: '처음 거부한 심사에서 멈추며, 그 뒤의 심사는 수행하지 않습니다.',
  },
);

/** Everything of one refused entry: the order, and the figures of each check up to the one that refused. */
export function ViolationDialog({ violation, onClose }: { violation: Violation; onClose: () => void }) {
  const text = useText(TEXT);
  const words = useText(RISK_TEXT);
  const price = unitsOf(violation.price);
  return (
    <Dialog title={text.title} about={violation.message} isOpen onClose={onClose} isWide>
      <Facts
        facts={[
          [text.time, <Time key="ts" at={violation.ts} />],
          [text.stock, <NameOf key="stock" name={violation.symbol} />],
          [
            text.order,
            <span key="order">
              <Count value={violation.qty} /> × <Price value={violation.price} />
            </span>,
          ],
          [text.amount, <Won key="amount" value={price === null ? null : price * BigInt(violation.qty)} />],
          [text.key, <code key="key">{violation.action_key}</code>],
        ]}
      />
      <h3 className={css.heading}>{text.checks}</h3>
      <div className={css.scrolled}>
        <table className={css.results} data-testid="checks">
          <thead>
            <tr>
              <th scope="col">{text.check}</th>
              <th scope="col">{text.after}</th>
              <th scope="col">{text.limit}</th>
              <th scope="col">{text.usage}</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {violation.results.map((result) => {
              const { value, limit } = result;
              const usage = value != null && limit != null && limit > 0 ? (value / limit) * 100 : null;
              return (
                <tr key={result.check}>
                  <th scope="row">
                    {said(words, result.check)}
                    {result.reason != null && <span className={css.reason}>{result.reason}</span>}
                  </th>
                  <td>{value != null && <CheckFigure check={result.check} value={value} />}</td>
                  <td>{limit != null && <CheckFigure check={result.check} value={limit} />}</td>
                  <td className={css.wideCell}>{usage !== null && <UsageBar label={said(words, result.check)} usage={usage} />}</td>
                  <td>
                    <Tag tone={result.passed ? 'good' : 'bad'}>{result.passed ? text.passed : text.refused}</Tag>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p className={css.note}>{text.rest}</p>
    </Dialog>
  );
}
