import { useEffect, useRef } from 'react';

import type { Fault } from '../api/request';
import type { LivePrice } from '../live/prices';
import { unitsOf } from '../money/decimal';
import { formatPrice, formatQty, formatWon } from '../money/format';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Facts } from '../ui/layout';
import { FaultNote } from '../ui/Panel';
import { costOf, wholeOf, type Ticket } from './ticket';
import css from './Buy.module.css';

const TEXT = texts(
  {
    stock: 'Stock',
    qty: 'Shares',
    price: 'Price',
    limit: (price: string) => `at most ${price}`,
    market: (price: string) => `at market, ask ${price}`,
    total: 'Total before fees',
    estimate: 'Estimate before fees',
    reason: 'Reason',
    costs: 'This sends an order to the exchange.',
    unsure: 'Whether the order was taken is not known. Sending it again is safe: it stays one request.',
    back: 'Back',
    buy: (qty: string, name: string) => `Buy ${qty} × ${name}`,
    again: 'Send again',
  },
  {
    stock: '종목',
    qty: '수량',
    price: '가격',
    limit: (price: string) => `최대 ${price}`,
    market: (price: string) => `시장가, 매도호가 ${price}`,
    total: '합계 (수수료 제외)',
    estimate: '추정 금액 (수수료 제외)',
    reason: '사유',
    costs: '거래소로 주문이 전송됩니다.',
    unsure: '주문 접수 여부를 알 수 없습니다. 다시 보내도 하나의 요청으로 처리됩니다.',
    back: '뒤로',
    buy: (qty: string, name: string) => `${name} ${qty}주 매수`,
    again: '다시 보내기',
  },
);

interface BuyReviewProps {
  ticket: Ticket;
  price: LivePrice | undefined;
  fault: Fault | null;
  isRefusal: boolean;
  isBusy: boolean;
  onBack: () => void;
  onConfirm: () => void;
}

/** What is about to be sent, once more in full. */
export function BuyReview({ ticket, price, fault, isRefusal, isBusy, onBack, onConfirm }: BuyReviewProps) {
  const text = useText(TEXT);
  const confirm = useRef<HTMLButtonElement>(null);
  useEffect(() => confirm.current?.focus(), []);
  const isLimit = ticket.type === 'LMT';
  const qty = formatQty(wholeOf(ticket.qty));
  const ask = price?.ask ?? price?.price ?? null;
  const name = ticket.stock?.name ?? '';
  const isUnsure = fault !== null && !isRefusal;
  return (
    <div className={css.form}>
      <Facts
        facts={[
          [text.stock, `${name} ${ticket.stock?.symbol ?? ''}`],
          [text.qty, qty],
          [text.price, isLimit ? text.limit(formatPrice(unitsOf(wholeOf(ticket.limit)))) : text.market(formatPrice(unitsOf(ask)))],
          [isLimit ? text.total : text.estimate, formatWon(costOf(ticket, ask))],
          ...(ticket.reason.trim() === '' ? [] : [[text.reason, ticket.reason.trim()] as const]),
        ]}
      />
      {fault !== null && <FaultNote fault={fault} />}
      <p className={css.hint}>{isUnsure ? text.unsure : text.costs}</p>
      <div className={css.actions}>
        <Button onClick={onBack} disabled={isBusy}>
          {text.back}
        </Button>
        <Button ref={confirm} kind="primary" needs="TRADER" isBusy={isBusy} onClick={onConfirm} data-testid="buy-confirm">
          {isUnsure ? text.again : text.buy(qty, name)}
        </Button>
      </div>
    </div>
  );
}
