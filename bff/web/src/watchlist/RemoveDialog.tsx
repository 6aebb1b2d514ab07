'use client';

import { useState } from 'react';

import { useMay } from '../access/context';
import { texts, useText } from '../text/text';
import { Ask } from '../ui/Dialog';
import { Input } from '../ui/form';
import { LIST_TEXT } from './lists';
import { useRemoval, type List, type Watched } from './watched';

const TEXT = texts(
  {
    title: (name: string) => `Take ${name} off the list?`,
    about: (list: string) =>
      `It leaves “${list}” with its memo, target and alarm. Its price is followed no longer, unless it is held, ordered or on the other list.`,
    remove: 'Remove',
    reason: 'Reason',
    said: 'Kept with the change',
    done: (name: string) => `${name}: off the list`,
  },
  {
    title: (name: string) => `${name}을(를) 목록에서 제거할까요?`,
    about: (list: string) =>
      `메모·목표가·알림과 함께 “${list}” 목록에서 제거됩니다. 보유·주문 중이거나 다른 목록에 없으면 시세 수신도 중단됩니다.`,
    remove: '제거',
    reason: '사유',
    said: '변경 기록에 남습니다',
    done: (name: string) => `${name}: 목록에서 제거됨`,
  },
);

/** Asks before a symbol leaves a list. It is mounted while it is open. */
export function RemoveDialog({ row, onClose }: { row: Watched; onClose: () => void }) {
  const text = useText(TEXT);
  const lists = useText(LIST_TEXT);
  const isAllowed = useMay('TRADER');
  const [reason, setReason] = useState('');
  const list: List = row.category === 'candidate' ? 'candidate' : 'watch';
  const name = row.name ?? row.symbol;
  const removal = useRemoval((gone) => text.done(gone.name ?? gone.symbol));
  const confirm = () => {
    onClose();
    void removal.send({ list, symbol: row.symbol, reason });
  };
  return (
    <Ask title={text.title(name)} about={text.about(lists[list])} isOpen onClose={onClose} action={text.remove} isDanger isReady={isAllowed} onConfirm={confirm}>
      <Input label={text.reason} hint={text.said} maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />
    </Ask>
  );
}
