'use client';

import { useState } from 'react';
import type { z } from 'zod';

import { useAdmission, useMay } from '../access/context';
import { zEmergencyStop } from '../api/generated/zod.gen';
import { patch, useChange } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Ask } from '../ui/Dialog';
import { Area, Input } from '../ui/form';
import { FaultNote } from '../ui/Panel';
import { REASON_MAX, REPORT_PATH, STOP_PATH } from './risk';
import css from './stop.module.css';

type Stop = z.infer<typeof zEmergencyStop>;

const TEXT = texts(
  {
    stop: 'Stop all entries',
    lift: 'Lift the stop',
    stopAbout: 'Takes effect as soon as it is saved. Purchases that have not been sent end as cancelled; what the broker has already is cancelled by hand. Exits go on. Only an administrator lifts it.',
    liftAbout: 'Purchases, re-entries and picks are judged again by the limits in force.',
    reason: 'Reason',
    said: 'Told with the alarm and kept in the audit',
    word: 'LIFT',
    type: (word: string) => `Type ${word} to confirm`,
    stopped: 'Entries are stopped.',
    lifted: 'The stop is lifted.',
    standing: (by: string, reason: string) => `Set by ${by}: ${reason}`,
  },
  {
    stop: '신규 진입 전체 정지',
    lift: '정지 해제',
    stopAbout: '저장 즉시 적용됩니다. 아직 전송되지 않은 매수는 취소되며, 이미 증권사에 접수된 주문은 직접 취소해야 합니다. 청산은 계속됩니다. 해제는 관리자만 할 수 있습니다.',
    liftAbout: '매수·재진입·추천 진입이 다시 현재 한도에 따라 심사됩니다.',
    reason: '사유',
    said: '경보와 함께 전달되고 감사 기록에 남습니다',
    word: 'LIFT',
    type: (word: string) => `확인하려면 ${word} 입력`,
    stopped: '신규 진입을 정지했습니다.',
    lifted: '정지를 해제했습니다.',
    standing: (by: string, reason: string) => `${by} 설정: ${reason}`,
  },
);

interface Sent {
  is_enabled: boolean;
  version: number;
  reason: string;
  updated_by?: string;
}

/** What is sent: a stop carries no version, since it is never late. */
function body({ version, ...stop }: Sent): unknown {
  return stop.is_enabled ? stop : { version, ...stop };
}

/** Stops entries with a reason, or lifts the stop with a reason and a typed word. */
export function StopDialog({ stop, onClose }: { stop: Stop; onClose: () => void }) {
  const text = useText(TEXT);
  const { session } = useAdmission();
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const isLift = stop.is_enabled;
  const isAllowed = useMay(isLift ? 'ADMIN' : 'TRADER');
  const change = useChange<Sent, Stop>(
    'PUT',
    STOP_PATH,
    zEmergencyStop,
    {
      expect: (sent, client) => patch<Stop>(client, STOP_PATH, (before) => ({ ...before, is_enabled: sent.is_enabled, reason: sent.reason })),
      settled: (row, _sent, client) => patch<Stop>(client, STOP_PATH, () => row),
      rereads: [STOP_PATH, REPORT_PATH],
      done: (row) => (row.is_enabled ? text.stopped : text.lifted),
      isQuiet: true,
    },
    body,
  );
  const confirm = async () => {
    const sent = { is_enabled: !isLift, version: stop.version, reason: reason.trim() };
    const row = await change.send(session?.name === undefined ? sent : { ...sent, updated_by: session.name });
    if (row !== null) onClose();
  };
  const isConfirmed = reason.trim() !== '' && (!isLift || typed.trim().toUpperCase() === text.word);
  return (
    <Ask
      title={isLift ? text.lift : text.stop}
      about={isLift ? text.liftAbout : text.stopAbout}
      isOpen
      onClose={onClose}
      action={isLift ? text.lift : text.stop}
      isDanger={!isLift}
      isBusy={change.isSending}
      isReady={isAllowed && isConfirmed}
      onConfirm={() => void confirm()}
    >
      {isLift && <p className={css.standing}>{text.standing(stop.updated_by, stop.reason)}</p>}
      <Area
        label={text.reason}
        hint={text.said}
        rows={2}
        maxLength={REASON_MAX}
        value={reason}
        fault={change.fault?.fields.reason}
        onChange={(event) => setReason(event.target.value)}
      />
      {isLift && <Input label={text.type(text.word)} value={typed} onChange={(event) => setTyped(event.target.value)} />}
      {change.fault !== null && change.fault.fields.reason === undefined && <FaultNote fault={change.fault} />}
    </Ask>
  );
}
