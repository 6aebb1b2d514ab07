import { useState } from 'react';

import { useText } from '../text/text';
import { Ask } from '../ui/Dialog';
import { Input } from '../ui/form';
import { REASON_MAX, TEXT } from './text';

interface ReasonDialogProps {
  title: string;
  about: string;
  action: string;
  onClose: () => void;
  onConfirm: (reason: string) => void;
}

/** Asks before something ends, and why. */
export function ReasonDialog({ title, about, action, onClose, onConfirm }: ReasonDialogProps) {
  const text = useText(TEXT);
  const [reason, setReason] = useState('');
  return (
    <Ask title={title} about={about} action={action} isOpen isDanger onClose={onClose} onConfirm={() => onConfirm(reason.trim())}>
      <Input label={text.reason} hint={text.said} value={reason} maxLength={REASON_MAX} onChange={(event) => setReason(event.target.value)} />
    </Ask>
  );
}
