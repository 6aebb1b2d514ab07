import type { FormEvent } from 'react';

import { formatQty } from '../money/format';
import { useText } from '../text/text';
import { Button } from '../ui/Button';
import { Input } from '../ui/form';
import type { Position } from './reads';
import css from './sell.module.css';
import type { Ticket } from './SellDialog';
import { SELL_TEXT } from './sellText';

/** Longest reason that is taken, in characters. */
const REASON_MAX = 500;

interface SaleTicketProps {
  position: Position;
  ticket: Ticket;
  /** What the server said of the fields. */
  faults: Readonly<Record<string, string>>;
  onChange: (change: Partial<Ticket>) => void;
  onReview: () => void;
  onClose: () => void;
}

/** How much is sold, and why. */
export function SaleTicket({ position, ticket, faults, onChange, onReview, onClose }: SaleTicketProps) {
  const text = useText(SELL_TEXT);
  const held = position.qty;
  const isWhole = /^[1-9]\d{0,14}$/.test(ticket.qty.trim());
  const isTooMany = isWhole && Number(ticket.qty) > held;
  const fault = !isWhole ? text.whole : isTooMany ? text.tooMany(formatQty(held)) : (faults.qty ?? null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isWhole && !isTooMany) onReview();
  };
  const parts = [
    [text.quarter, Math.ceil(held / 4)],
    [text.half, Math.ceil(held / 2)],
    [text.all, held],
  ] as const;
  return (
    <form className={css.form} onSubmit={submit}>
      <Input
        label={text.qty}
        inputMode="numeric"
        value={ticket.qty}
        fault={fault}
        hint={text.held(formatQty(held))}
        data-testid="sell-qty"
        onChange={(event) => onChange({ qty: event.target.value })}
      />
      <div className={css.parts} role="group" aria-label={text.parts}>
        {parts.map(([name, qty]) => (
          <Button key={name} aria-pressed={ticket.qty === String(qty)} onClick={() => onChange({ qty: String(qty) })}>
            {name} <small className={css.muted}>{formatQty(qty)}</small>
          </Button>
        ))}
      </div>
      <Input
        label={text.reason}
        value={ticket.reason}
        maxLength={REASON_MAX}
        hint={text.said}
        fault={faults.reason}
        onChange={(event) => onChange({ reason: event.target.value })}
      />
      <div className={css.actions}>
        <Button onClick={onClose}>{text.cancel}</Button>
        <Button type="submit" kind="primary" needs="TRADER" disabled={!isWhole || isTooMany} data-testid="sell-review">
          {text.review}
        </Button>
      </div>
    </form>
  );
}
