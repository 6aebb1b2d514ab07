import { useState, type FormEvent } from 'react';

import { formatQty } from '../money/format';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Input } from '../ui/form';
import type { AskKind, Order } from './state';
import css from './orders.module.css';

const TEXT = texts(
  {
    approve: 'Approve the order',
    reject: 'Reject the order',
    cancel: 'Cancel the order',
    do_approve: 'Approve and send',
    do_reject: 'Reject',
    do_cancel: 'Cancel the order',
    back: 'Leave it as it is',
    reason: 'Reason',
    said: 'Kept with the request',
    what: (side: string, qty: string, name: string) => `${side} ${qty} × ${name}`,
    BUY: 'Buy',
    SELL: 'Sell',
    approve_effect: 'It is sent to the exchange at once.',
    reject_effect: 'It ends here and is never sent.',
    cancel_unsent: 'It has not been sent: it is withdrawn and never reaches the exchange.',
    cancel_between: 'It is on its way to the broker. It is cancelled as soon as the broker is known to have it; it may fill before.',
    cancel_sent: (left: string) => `The broker is asked to cancel the ${left} shares that are left. What fills before that stays filled.`,
    again: 'A rule that still holds decides again. Pause exits first where nothing shall follow.',
  },
  {
    approve: '주문 승인',
    reject: '주문 거절',
    cancel: '주문 취소',
    do_approve: '승인하고 전송',
    do_reject: '거절',
    do_cancel: '주문 취소',
    back: '그대로 두기',
    reason: '사유',
    said: '요청 기록에 남습니다',
    what: (side: string, qty: string, name: string) => `${name} ${qty}주 ${side}`,
    BUY: '매수',
    SELL: '매도',
    approve_effect: '즉시 거래소로 전송됩니다.',
    reject_effect: '여기서 종료되며 전송되지 않습니다.',
    cancel_unsent: '아직 전송되지 않았습니다. 철회되며 거래소에 도달하지 않습니다.',
    cancel_between: '증권사로 전송 중입니다. 접수가 확인되는 대로 취소하며, 그 전에 체결될 수 있습니다.',
    cancel_sent: (left: string) => `증권사에 남은 ${left}주의 취소를 요청합니다. 그 전에 체결된 수량은 유지됩니다.`,
    again: '조건이 유지되는 규칙은 다시 결정합니다. 후속 주문을 막으려면 먼저 청산을 정지하세요.',
  },
);

/** Longest reason that is taken, in characters. */
const REASON_MAX = 500;

interface AskDialogProps {
  kind: AskKind;
  order: Order;
  onClose: () => void;
  onConfirm: (reason: string) => void;
}

/** Asks before something is asked of an order, and says what it means for this one. */
export function AskDialog({ kind, order, onClose, onConfirm }: AskDialogProps) {
  const text = useText(TEXT);
  const [reason, setReason] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onConfirm(reason.trim());
  };
  const isSent = order.status === 'SUBMITTED' || order.status === 'PARTIAL';
  const isUnsent = order.status === 'NEW' || order.status === 'PENDING_APPROVAL';
  const left = formatQty(order.qty - order.filled_qty);
  const cancels = isSent ? text.cancel_sent(left) : isUnsent ? text.cancel_unsent : text.cancel_between;
  const effect = kind === 'approve' ? text.approve_effect : kind === 'reject' ? text.reject_effect : cancels;
  const isByRule = order.side === 'SELL' && order.reason_code !== 'MANUAL';
  return (
    <Dialog
      title={text[kind]}
      about={text.what(order.side === 'BUY' ? text.BUY : text.SELL, formatQty(order.qty), order.name)}
      isOpen
      onClose={onClose}
    >
      <form className={css.form} onSubmit={submit}>
        <div className={css.consequence}>
          <p>{effect}</p>
          {kind !== 'approve' && isByRule && <p>{text.again}</p>}
        </div>
        <Input label={text.reason} hint={text.said} value={reason} maxLength={REASON_MAX} onChange={(event) => setReason(event.target.value)} />
        <div className={css.actions}>
          <Button onClick={onClose}>{text.back}</Button>
          <Button type="submit" kind={kind === 'approve' ? 'primary' : 'danger'} needs="TRADER" data-testid="confirm">
            {text[`do_${kind}`]}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
