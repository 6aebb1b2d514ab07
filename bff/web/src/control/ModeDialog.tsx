'use client';

import { useState } from 'react';

import { useActor, useMay } from '../access/context';
import { zControl } from '../api/generated/zod.gen';
import { patch, useChange } from '../api/hooks';
import { useTopic } from '../live/provider';
import { texts, useText } from '../text/text';
import { Ask } from '../ui/Dialog';
import { Input } from '../ui/form';
import { ModeChoice } from './ModeChoice';
import { CONTROL_PATH, MODE_TEXT, MODES, modeOf, REASON_MAX, type ExitControl, type Mode } from './modes';
import css from './control.module.css';

const TEXT = texts(
  {
    title: 'Mode of the exit engine',
    set: (mode: string) => `Set ${mode}`,
    reason: 'Reason',
    said: 'Kept with the change',
    why: 'Say why everything is sold.',
    flatten: (count: number) => `${count} live position${count === 1 ? ' is' : 's are'} sold at the market, at once. It cannot be taken back.`,
    word: 'FLATTEN',
    type: (word: string) => `Type ${word} to confirm`,
    from: (mode: string) => `${mode} set from the desk`,
    done: (mode: string) => `Exits: ${mode}`,
    system: 'The system has paused exits by itself. Its pause ends with its cause; your mode stands beside it.',
  },
  {
    title: '청산 엔진 모드',
    set: (mode: string) => `${mode} 적용`,
    reason: '사유',
    said: '변경 기록에 남습니다',
    why: '전량 청산 사유를 입력하세요.',
    flatten: (count: number) => `보유 포지션 ${count}개를 즉시 시장가로 매도합니다. 되돌릴 수 없습니다.`,
    word: 'FLATTEN',
    type: (word: string) => `확인하려면 ${word} 입력`,
    from: (mode: string) => `데스크에서 ${mode} 설정`,
    done: (mode: string) => `청산: ${mode}`,
    system: '시스템이 청산을 일시정지했습니다. 원인이 해소되면 자동으로 풀리며, 설정한 모드는 별도로 유지됩니다.',
  },
);

interface Sent {
  mode: Mode;
  reason: string;
}

interface ModeDialogProps {
  control: ExitControl;
  /** The mode that is chosen when it opens. */
  first?: Mode | null;
  isOpen: boolean;
  onClose: () => void;
}

/** Changes the mode of the exit engine. A flatten wants a reason and a typed word. */
export function ModeDialog({ control, first = null, isOpen, onClose }: ModeDialogProps) {
  const text = useText(TEXT);
  const modes = useText(MODE_TEXT);
  const isAllowed = useMay('TRADER');
  const actor = useActor('updated_by');
  const now = modeOf(control.mode);
  const [chosen, setChosen] = useState<Mode | null>(first);
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const positions = useTopic('positions').rows;
  const change = useChange<Sent, ExitControl>('POST', CONTROL_PATH, zControl, {
    expect: ({ mode, reason: why }, client) =>
      patch<ExitControl>(client, CONTROL_PATH, (before) => ({ ...before, mode, effective_mode: mode, reason: why })),
    rereads: [CONTROL_PATH],
    done: (row) => text.done(modes[modeOf(row.mode) ?? 'RUNNING']),
  });
  const target = chosen ?? now ?? 'RUNNING';
  const isFlatten = target === 'EMERGENCY_FLATTEN';
  const isConfirmed = !isFlatten || (reason.trim() !== '' && typed.trim().toUpperCase() === text.word);
  const close = () => {
    setChosen(first);
    setReason('');
    setTyped('');
    onClose();
  };
  const confirm = () => {
    const said = reason.trim() === '' ? text.from(target) : reason.trim();
    close();
    void change.send({ mode: target, reason: said, ...actor });
  };
  return (
    <Ask
      title={text.title}
      about={(control.pauses ?? []).length > 0 ? text.system : undefined}
      isOpen={isOpen}
      onClose={close}
      action={text.set(modes[target])}
      isDanger={isFlatten}
      isReady={isAllowed && target !== now && isConfirmed}
      onConfirm={confirm}
    >
      <ModeChoice label={text.title} modes={MODES} at={target} text={modes} isAllowed={isAllowed} onChange={setChosen} />
      {isFlatten && (
        <p className={css.warning} role="alert">
          {text.flatten(positions.length)}
        </p>
      )}
      <Input
        label={text.reason}
        hint={isFlatten ? text.why : text.said}
        value={reason}
        maxLength={REASON_MAX}
        onChange={(event) => setReason(event.target.value)}
      />
      {isFlatten && <Input label={text.type(text.word)} value={typed} onChange={(event) => setTyped(event.target.value)} />}
    </Ask>
  );
}
