'use client';

import { z } from 'zod';

import { texts, useText } from '../text/text';
import { Dialog } from '../ui/Dialog';
import { Count, Time } from '../ui/figures';
import { Facts } from '../ui/layout';
import { Tag } from '../ui/Tag';
import type { Alarm } from './alarms';
import { Level } from './Level';
import css from './system.module.css';

const TEXT = texts(
  {
    title: 'Alarm',
    level: 'Level',
    name: 'Name',
    subject: 'About',
    instance: 'Process',
    value: 'Measured last',
    threshold: 'Limit',
    raised: 'Raised',
    last: 'Seen last',
    repeats: 'Raised again',
    cleared: 'Over',
    noted: 'Acknowledged',
    told: 'Who was told',
    nobody: 'Nobody was told: no channel takes this level, or the alarm was over before.',
    attempts: (count: number) => `${count} attempt${count === 1 ? '' : 's'}`,
    sent: 'sent',
    failed: 'given up',
  },
  {
    title: '경보',
    level: '등급',
    name: '이름',
    subject: '대상',
    instance: '프로세스',
    value: '최근 측정값',
    threshold: '한도',
    raised: '발생',
    last: '최근 확인',
    repeats: '반복',
    cleared: '해제',
    noted: '확인',
    told: '알림 전송',
    nobody: '전송된 알림이 없습니다. 이 등급을 받는 채널이 없거나 이미 해제되었습니다.',
    attempts: (count: number) => `${count}회 시도`,
    sent: '전송됨',
    failed: '실패',
  },
);

const zDelivery = z.object({
  turn: z.unknown(),
  channel: z.string(),
  ts: z.string(),
  attempts: z.number(),
  fault: z.string().nullish(),
});

const figure = (value: number | null | undefined) => (value == null ? '–' : String(Number(value.toPrecision(6))));

/** Everything of one episode of an alarm, and whom it was told to. */
export function AlarmDialog({ alarm, onClose }: { alarm: Alarm; onClose: () => void }) {
  const text = useText(TEXT);
  const deliveries = alarm.deliveries.flatMap((row) => {
    const parsed = zDelivery.safeParse(row);
    return parsed.success ? [parsed.data] : [];
  });
  return (
    <Dialog title={text.title} about={alarm.message} isOpen onClose={onClose} isWide>
      <Facts
        facts={[
          [text.level, <Level key="level" level={alarm.level} />],
          [text.name, <code key="name">{alarm.name}</code>],
          [text.subject, alarm.subject ?? '–'],
          [text.instance, alarm.instance],
          [text.value, figure(alarm.value)],
          [text.threshold, figure(alarm.threshold)],
          [text.raised, <Time key="raised" at={alarm.raised_ts} />],
          [text.last, <Time key="last" at={alarm.last_ts} />],
          [text.repeats, <Count key="repeats" value={alarm.repeats} />],
          [text.cleared, <Time key="cleared" at={alarm.cleared_ts} />],
          [
            text.noted,
            alarm.acknowledged_by == null ? (
              '–'
            ) : (
              <span key="noted">
                {alarm.acknowledged_by} · <Time at={alarm.acknowledged_ts} />
                {alarm.acknowledge_reason != null && <> · {alarm.acknowledge_reason}</>}
              </span>
            ),
          ],
        ]}
      />
      <h3 className={css.heading}>{text.told}</h3>
      {deliveries.length === 0 ? (
        <p className={css.note}>{text.nobody}</p>
      ) : (
        <ul className={css.lines}>
          {deliveries.map(({ channel, ts, attempts, fault }) => (
            <li key={`${channel}${ts}`}>
              <Tag tone={fault == null ? 'good' : 'bad'}>{fault == null ? text.sent : text.failed}</Tag> {channel} · <Time at={ts} /> · {text.attempts(attempts)}
              {fault != null && ` · ${fault}`}
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  );
}
