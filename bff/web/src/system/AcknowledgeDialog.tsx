'use client';

import { useState } from 'react';

import { useAdmission, useMay } from '../access/context';
import { zAlarmEpisode } from '../api/generated/zod.gen';
import { useChange } from '../api/hooks';
import { useLive } from '../live/provider';
import { texts, useText } from '../text/text';
import { Ask } from '../ui/Dialog';
import { Area } from '../ui/form';
import { FaultNote } from '../ui/Panel';
import { REASON_MAX, type Alarm } from './alarms';

const TEXT = texts(
  {
    title: 'Take note of this alarm',
    action: 'Acknowledge',
    reason: 'What is done about it (optional)',
    said: 'Seen by everybody. An alarm that becomes worse has to be acknowledged anew.',
    done: (name: string) => `${name} is acknowledged.`,
  },
  {
    title: '경보 확인',
    action: '확인',
    reason: '조치 내용 (선택)',
    said: '모두에게 표시됩니다. 경보가 악화되면 다시 확인해야 합니다.',
    done: (name: string) => `${name} 경보를 확인했습니다.`,
  },
);

interface Sent {
  by?: string;
  reason?: string;
}

/** Takes note of an alarm that stands, with what is done about it. */
export function AcknowledgeDialog({ alarm, onClose }: { alarm: Alarm; onClose: () => void }) {
  const text = useText(TEXT);
  const live = useLive();
  const { session } = useAdmission();
  const isAllowed = useMay('TRADER');
  const [reason, setReason] = useState('');
  const change = useChange<Sent, Alarm>('POST', `/api/v1/alarms/${alarm.id}/acknowledge`, zAlarmEpisode, {
    expect: ({ by, reason: why }) => {
      live.rows.alarms.settle({
        ...alarm,
        acknowledged_by: by ?? '…',
        acknowledged_ts: new Date().toISOString(),
        acknowledge_reason: why ?? null,
      });
      return () => live.rows.alarms.settle(alarm);
    },
    settled: (row) => live.rows.alarms.settle(row),
    rereads: ['/api/v1/alarms'],
    done: (row) => text.done(row.name),
    isQuiet: true,
  });
  const confirm = async () => {
    const by = session === null ? {} : { by: session.name };
    const row = await change.send(reason.trim() === '' ? by : { ...by, reason: reason.trim() });
    if (row !== null) onClose();
  };
  return (
    <Ask
      title={text.title}
      about={alarm.message}
      isOpen
      onClose={onClose}
      action={text.action}
      isBusy={change.isSending}
      isReady={isAllowed}
      onConfirm={() => void confirm()}
    >
      <Area
        label={text.reason}
        hint={text.said}
        rows={2}
        maxLength={REASON_MAX}
        value={reason}
        fault={change.fault?.fields.reason}
        onChange={(event) => setReason(event.target.value)}
      />
      {change.fault !== null && change.fault.fields.reason === undefined && <FaultNote fault={change.fault} />}
    </Ask>
  );
}
