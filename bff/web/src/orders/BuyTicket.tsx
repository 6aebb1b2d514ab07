import type { FormEvent } from 'react';

import type { LivePrice } from '../live/prices';
import { unitsOf } from '../money/decimal';
import { formatBasisPoints, formatPrice, formatWon, UNKNOWN } from '../money/format';
import { StockSearch } from '../shell/StockSearch';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Percent } from '../ui/figures';
import { Choice, Input } from '../ui/form';
import { costOf, distance, grouped, stepped, TYPES, wholeOf, type Ticket } from './ticket';
import css from './Buy.module.css';

const TEXT = texts(
  {
    stock: 'Stock',
    choose: 'Choose what to buy.',
    other: 'Another stock',
    last: 'Last',
    bid: 'Bid',
    ask: 'Ask',
    stale: 'This price is old.',
    type: 'Order type',
    LMT: 'Limit',
    MKT: 'Market',
    qty: 'Shares',
    limit: 'Limit price',
    won: 'KRW',
    up: 'One step up',
    down: 'One step down',
    whole: 'A whole number, at least 1.',
    above: (points: string) => `${points} against the last trade`,
    reason: 'Reason',
    total: 'Total',
    estimate: 'Estimate at the ask',
    before: 'before fees',
    review: 'Review',
    cancel: 'Close',
  },
  {
    stock: '종목',
    choose: '매수할 종목을 선택하세요.',
    other: '다른 종목',
    last: '현재가',
    bid: '매수호가',
    ask: '매도호가',
    stale: '오래된 시세입니다.',
    type: '주문 유형',
    LMT: '지정가',
    MKT: '시장가',
    qty: '수량',
    limit: '지정가',
    won: '원',
    up: '한 호가 위로',
    down: '한 호가 아래로',
    whole: '1 이상의 정수를 입력하세요.',
    above: (points: string) => `현재가 대비 ${points}`,
    reason: '사유',
    total: '합계',
    estimate: '매도호가 기준 추정',
    before: '수수료 제외',
    review: '확인',
    cancel: '닫기',
  },
);

const STEPS = [1, 10, 50, 100, 1_000] as const;

interface BuyTicketProps {
  ticket: Ticket;
  price: LivePrice | undefined;
  /** What the server has refused, by its fields. */
  faults: Readonly<Record<string, string>>;
  onChange: (changed: Partial<Ticket>) => void;
  onReview: () => void;
  onClose: () => void;
}

/** What is bought, how many, and for how much at most. */
export function BuyTicket({ ticket, price, faults, onChange, onReview, onClose }: BuyTicketProps) {
  const text = useText(TEXT);
  const { stock } = ticket;
  const isLimit = ticket.type === 'LMT';
  const qty = wholeOf(ticket.qty);
  const limit = wholeOf(ticket.limit);
  const last = price?.price ?? null;
  const cost = costOf(ticket, price?.ask ?? last);
  const isReady = stock !== null && qty !== null && (!isLimit || limit !== null);
  const away = limit !== null && last !== null ? distance(limit, last) : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isReady) onReview();
  };
  const quote = (name: string, value: number | null) => (
    <button
      type="button"
      className={css.quote}
      disabled={value === null || !isLimit}
      onClick={() => onChange({ limit: grouped(String(Math.floor(value ?? 0))) })}
    >
      <span>{name}</span>
      <b>{formatPrice(unitsOf(value))}</b>
    </button>
  );
  return (
    <form className={css.form} onSubmit={submit}>
      {stock === null ? (
        <div className={css.search} data-testid="buy-stock">
          <StockSearch onChoose={(chosen) => onChange({ stock: chosen })} />
          <p className={css.hint}>{faults.symbol ?? text.choose}</p>
        </div>
      ) : (
        <div className={css.stock}>
          <span className={css.name}>
            <b lang="ko">{stock.name}</b> <span className={css.code}>{stock.symbol}</span>
          </span>
          <span data-live>
            <Percent value={price?.changeRate} hasArrow />
          </span>
          <Button size="small" kind="quiet" onClick={() => onChange({ stock: null, limit: '' })}>
            {text.other}
          </Button>
          <div className={css.quotes} data-live>
            {quote(text.bid, price?.bid ?? null)}
            {quote(text.last, last)}
            {quote(text.ask, price?.ask ?? null)}
          </div>
          {price?.isStale === true && <p className={css.stale}>{text.stale}</p>}
          {faults.symbol !== undefined && <p role="alert" className={css.stale}>{faults.symbol}</p>}
        </div>
      )}
      <div>
        <Choice label={text.type} at={ticket.type} options={TYPES.map((value) => ({ value, label: text[value] }))} onChange={(type) => onChange({ type })} />
      </div>
      <div className={css.fields}>
        <div>
          <Input
            label={text.qty}
            inputMode="numeric"
            value={ticket.qty}
            fault={faults.qty ?? (ticket.qty !== '' && qty === null ? text.whole : null)}
            onChange={(event) => onChange({ qty: grouped(event.target.value) })}
          />
          <div className={css.steps}>
            {STEPS.map((step) => (
              <Button key={step} size="small" onClick={() => onChange({ qty: grouped(String((qty ?? 0) + step)) })}>
                +{step}
              </Button>
            ))}
          </div>
        </div>
        {isLimit && (
          <div>
            <Input
              label={text.limit}
              unit={text.won}
              inputMode="numeric"
              value={ticket.limit}
              fault={faults.limit_price ?? (ticket.limit !== '' && limit === null ? text.whole : null)}
              hint={text.above(away === null ? UNKNOWN : formatBasisPoints(away))}
              onChange={(event) => onChange({ limit: grouped(event.target.value) })}
            />
            <div className={css.steps}>
              <Button size="small" aria-label={text.down} disabled={limit === null} onClick={() => onChange({ limit: grouped(String(stepped(limit ?? 1, -1))) })}>
                −
              </Button>
              <Button size="small" aria-label={text.up} disabled={limit === null} onClick={() => onChange({ limit: grouped(String(stepped(limit ?? 1, 1))) })}>
                +
              </Button>
            </div>
          </div>
        )}
      </div>
      <Input label={text.reason} value={ticket.reason} maxLength={500} fault={faults.reason} onChange={(event) => onChange({ reason: event.target.value })} />
      <p className={css.total}>
        <span>{isLimit ? text.total : text.estimate}</span>
        <b data-testid="buy-total">{formatWon(cost)}</b>
        <span className={css.hint}>{`${text.won}, ${text.before}`}</span>
      </p>
      <div className={css.actions}>
        <Button onClick={onClose}>{text.cancel}</Button>
        <Button type="submit" kind="primary" needs="TRADER" disabled={!isReady} data-testid="buy-review">
          {text.review}
        </Button>
      </div>
    </form>
  );
}
