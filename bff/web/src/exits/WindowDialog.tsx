import { useState } from 'react';
import type { z } from 'zod';

import { useActor, useMay } from '../access/context';
import { zWindow } from '../api/generated/zod.gen';
import { useChange } from '../api/hooks';
import { unplaced } from '../orders/faults';
import { texts, useText } from '../text/text';
import { Ask } from '../ui/Dialog';
import { Input, Switch } from '../ui/form';
import { FaultNote } from '../ui/Panel';
import { REASON_MAX, TEXT as PAGE_TEXT } from './text';
import css from './exits.module.css';

export type Window = z.infer<typeof zWindow>;

export const WINDOWS_PATH = '/api/v1/reentry/windows';

const TEXT = texts(
  {
    add: 'Add a window without entries',
    edit: (id: string) => `Window ${id}`,
    id: 'Name',
    from: 'From (Seoul)',
    until: 'Until (Seoul), exclusive',
    after: 'After the beginning.',
    active: 'In force',
    save: 'Save the window',
    done: (id: string) => `Window ${id} saved`,
    idHint: 'Letters, digits, - and _',
  },
  {
    add: '진입 금지 시간대 추가',
    edit: (id: string) => `시간대 ${id}`,
    id: '이름',
    from: '시작 (서울)',
    until: '종료 (서울, 미포함)',
    after: '시작보다 늦어야 합니다.',
    active: '적용',
    save: '시간대 저장',
    done: (id: string) => `시간대 ${id} 저장됨`,
    idHint: '영문, 숫자, -, _',
  },
);

/** Adds a time of day in which nothing is bought back, or changes one. */
export function WindowDialog({ window, onClose }: { window: Window | null; onClose: () => void }) {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const isAllowed = useMay('TRADER');
  const [id, setId] = useState(window?.window_id ?? '');
  const [from, setFrom] = useState(window?.from_time.slice(0, 5) ?? '');
  const [until, setUntil] = useState(window?.until_time.slice(0, 5) ?? '');
  const [isActive, setActive] = useState(window?.is_active ?? true);
  const [reason, setReason] = useState('');
  const actor = useActor('updated_by');
  const change = useChange(
    'PUT',
    () => `${WINDOWS_PATH}/${encodeURIComponent(id.trim())}`,
    zWindow,
    { isQuiet: true, rereads: [WINDOWS_PATH], done: (row) => text.done(row.window_id) },
  );
  const isOrdered = from === '' || until === '' || from < until;
  const isReady = isAllowed && id.trim() !== '' && from !== '' && until !== '' && isOrdered;
  const confirm = async () => {
    const said = reason.trim();
    const row = await change.send({ ...actor, from_time: from, until_time: until, is_active: isActive, ...(said === '' ? {} : { reason: said }) });
    if (row !== null) onClose();
  };
  const { fault } = change;
  const fields = fault?.fields ?? {};
  const note = unplaced(fault, ['id', 'from_time', 'until_time', 'reason']);
  return (
    <Ask
      title={window === null ? text.add : text.edit(window.window_id)}
      action={text.save}
      isOpen
      isBusy={change.isSending}
      isReady={isReady}
      onClose={onClose}
      onConfirm={() => void confirm()}
    >
      {note !== null && <FaultNote fault={note} />}
      <Input label={text.id} hint={text.idHint} value={id} disabled={window !== null} maxLength={64} fault={fields.id} onChange={(event) => setId(event.target.value)} />
      <div className={css.pair}>
        <Input type="time" label={text.from} value={from} fault={fields.from_time} onChange={(event) => setFrom(event.target.value)} />
        <Input type="time" label={text.until} value={until} fault={fields.until_time ?? (isOrdered ? null : text.after)} onChange={(event) => setUntil(event.target.value)} />
      </div>
      <Switch label={text.active} isOn={isActive} isDisabled={!isAllowed} onChange={setActive} />
      <Input label={page.reason} hint={page.said} value={reason} maxLength={REASON_MAX} fault={fields.reason} onChange={(event) => setReason(event.target.value)} />
    </Ask>
  );
}
