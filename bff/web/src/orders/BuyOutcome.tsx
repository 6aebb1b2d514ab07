import type { z } from 'zod';

import { zManualEntry } from '../api/generated/zod.gen';
import { formatQty } from '../money/format';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Tag } from '../ui/Tag';
import css from './Buy.module.css';

const TEXT = texts(
  {
    what: (qty: string, name: string) => `${qty} × ${name}`,
    ASKED: 'The request is stored. The engine makes an order of it in a moment.',
    late: 'The engine has not taken it up yet. It does so once the market is open; the order then shows in the list.',
    ORDERED: 'The order stands.',
    REFUSED: 'It was refused; nothing was sent.',
    show: 'Show the order',
    edit: 'Change it',
    close: 'Close',
  },
  {
    what: (qty: string, name: string) => `${name} ${qty}주`,
    ASKED: '요청이 저장되었습니다. 곧 엔진이 주문을 만듭니다.',
    late: '아직 엔진이 처리하지 않았습니다. 장이 열리면 처리하며 목록에 표시됩니다.',
    ORDERED: '주문이 접수되었습니다.',
    REFUSED: '거부되었습니다. 전송된 것은 없습니다.',
    show: '주문 보기',
    edit: '수정하기',
    close: '닫기',
  },
);

interface BuyOutcomeProps {
  entry: z.infer<typeof zManualEntry>;
  name: string;
  /** Whether nobody asks any more what became of it. */
  isOver: boolean;
  onEdit: () => void;
  onClose: () => void;
  onOrder: (id: string) => void;
}

/** What became of a purchase by hand. */
export function BuyOutcome({ entry, name, isOver, onEdit, onClose, onOrder }: BuyOutcomeProps) {
  const text = useText(TEXT);
  const words = entry.state === 'REFUSED' ? text.REFUSED : entry.state === 'ORDERED' ? text.ORDERED : isOver ? text.late : text.ASKED;
  const { order_id: order } = entry;
  return (
    <div className={css.form}>
      <div className={css.outcome} role="status" aria-busy={!isOver} data-testid="buy-outcome" data-state={entry.state} data-request={entry.request_id}>
        <p>
          <Tag>{entry.state}</Tag> <b>{text.what(formatQty(entry.qty), name)}</b>
        </p>
        <p>{words}</p>
        {entry.message != null && <p className={css.refusal}>{entry.message}</p>}
      </div>
      <div className={css.actions}>
        {entry.state === 'REFUSED' && <Button onClick={onEdit}>{text.edit}</Button>}
        <Button onClick={onClose}>{text.close}</Button>
        {order != null && (
          <Button kind="primary" onClick={() => onOrder(order)} data-testid="buy-show">
            {text.show}
          </Button>
        )}
      </div>
    </div>
  );
}
