import { useEffect, useRef } from 'react';

import type { Fault } from '../api/request';
import { usePrice } from '../live/provider';
import { formatQty } from '../money/format';
import { evaluationPrice, unrealised } from '../money/pnl';
import { useText } from '../text/text';
import { Button } from '../ui/Button';
import { SignedWon, Won } from '../ui/figures';
import { Facts } from '../ui/layout';
import { FaultNote } from '../ui/Panel';
import type { Position } from './reads';
import css from './sell.module.css';
import type { Ticket } from './SellDialog';
import { SELL_TEXT } from './sellText';

interface SaleReviewProps {
  position: Position;
  ticket: Ticket;
  fault: Fault | null;
  isRefusal: boolean;
  isBusy: boolean;
  onBack: () => void;
  onConfirm: () => void;
}

/** What a sale comes to at the live price, and the last question before it is asked for. */
export function SaleReview({ position, ticket, fault, isRefusal, isBusy, onBack, onConfirm }: SaleReviewProps) {
  const text = useText(SELL_TEXT);
  const live = usePrice(position.symbol);
  const qty = Number(ticket.qty);
  const brings = unrealised(qty, position.avg_price, evaluationPrice(live?.price, live?.bid));
  const confirm = useRef<HTMLButtonElement>(null);
  useEffect(() => confirm.current?.focus(), []);
  return (
    <div className={css.form} data-testid="sell-summary">
      <Facts
        facts={[
          [text.sells, <b key="sells">{text.shares(formatQty(qty), formatQty(position.qty))}</b>],
          [text.proceeds, <Won key="value" value={brings?.value ?? null} />],
          [text.result, <SignedWon key="result" value={brings?.pnl ?? null} basisPoints={brings?.returnBasisPoints ?? null} />],
          [text.left, formatQty(position.qty - qty)],
        ]}
      />
      <p className={css.muted}>{text.notes}</p>
      {live?.isStale === true && <p className={css.warn}>{text.stale}</p>}
      {fault !== null && <FaultNote fault={fault} />}
      {fault !== null && !isRefusal && <p className={css.warn}>{text.unsure}</p>}
      <div className={css.actions}>
        <Button onClick={onBack} disabled={isBusy}>
          {text.back}
        </Button>
        <Button ref={confirm} kind="danger" needs="TRADER" isBusy={isBusy} data-testid="confirm" onClick={onConfirm}>
          {text.confirm(formatQty(qty))}
        </Button>
      </div>
    </div>
  );
}
