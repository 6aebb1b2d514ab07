import { useState } from 'react';

import { useActor, useMay } from '../access/context';
import { zControl } from '../api/generated/zod.gen';
import { patch, useChange } from '../api/hooks';
import { ModeChoice } from '../control/ModeChoice';
import { texts, useText } from '../text/text';
import { Ask } from '../ui/Dialog';
import { Input } from '../ui/form';
import { MODES, MODE_TEXT, REENTRY_PATH, type Control, type Mode } from './reentry';
import { REASON_MAX, TEXT as PAGE_TEXT } from './text';

const TEXT = texts(
  {
    title: 'Mode of re-entries',
    set: (mode: string) => `Set: ${mode}`,
    done: (mode: string) => `Re-entries: ${mode}`,
  },
  {
    title: '재진입 모드',
    set: (mode: string) => `${mode} 적용`,
    done: (mode: string) => `재진입: ${mode}`,
  },
);

/** Changes what the re-entry engine may do. */
export function ReentryModeDialog({ control, onClose }: { control: Control; onClose: () => void }) {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const modes = useText(MODE_TEXT);
  const isAllowed = useMay('TRADER');
  const now = MODES.find((mode) => mode === control.mode) ?? 'PAUSE_ALL';
  const [target, setTarget] = useState<Mode>(now);
  const [reason, setReason] = useState('');
  const actor = useActor('updated_by');
  const change = useChange('POST', REENTRY_PATH, zControl, {
    expect: ({ mode }: { mode: Mode; reason?: string; updated_by?: string }, client) => patch<Control>(client, REENTRY_PATH, (before) => ({ ...before, mode })),
    settled: (row, _body, client) => void patch<Control>(client, REENTRY_PATH, () => row),
    rereads: [REENTRY_PATH],
    done: (row) => text.done(modes[MODES.find((mode) => mode === row.mode) ?? 'PAUSE_ALL']),
  });
  const confirm = () => {
    const said = reason.trim();
    void change.send({ mode: target, ...actor, ...(said === '' ? {} : { reason: said }) });
    onClose();
  };
  return (
    <Ask title={text.title} action={text.set(modes[target])} isOpen isReady={isAllowed && target !== now} onClose={onClose} onConfirm={confirm}>
      <ModeChoice label={text.title} modes={MODES} at={target} text={modes} isAllowed={isAllowed} onChange={setTarget} />
      <Input label={page.reason} hint={page.said} value={reason} maxLength={REASON_MAX} onChange={(event) => setReason(event.target.value)} />
    </Ask>
  );
}
