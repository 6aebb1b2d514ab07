'use client';

import { useState } from 'react';

import { zAlarmEpisode } from '../api/generated/zod.gen';
import { usePages } from '../api/hooks';
import { useTopic } from '../live/provider';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, Time } from '../ui/figures';
import { Choice } from '../ui/form';
import { PagesFoot } from '../ui/list';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { AcknowledgeDialog } from './AcknowledgeDialog';
import { AlarmDialog } from './AlarmDialog';
import { ALARM_LEVELS, standing, type Alarm } from './alarms';
import { Level } from './Level';
import css from './system.module.css';

const TEXT = texts(
  {
    standing: 'Standing alarms',
    calm: 'No alarm stands. One that is raised appears here at once.',
    acknowledge: 'Acknowledge',
    noted: (by: string) => `noted by ${by}`,
    since: 'since',
    again: (count: number) => `raised ${count} more times`,
    details: 'Details',
    history: 'History',
    none: 'No alarm of this level was ever raised.',
    level: 'Level',
    least: 'Least level',
    all: 'All',
    raised: 'Raised',
    name: 'Alarm',
    subject: 'About',
    message: 'Message',
    repeats: 'Repeats',
    cleared: 'Over',
    notedBy: 'Noted by',
    stands: 'stands',
  },
  {
    standing: '발생 중인 경보',
    calm: '발생 중인 경보가 없습니다. 발생하면 즉시 여기에 표시됩니다.',
    acknowledge: '확인',
    noted: (by: string) => `${by} 확인`,
    since: '발생',
    again: (count: number) => `${count}회 반복`,
    details: '상세',
    history: '이력',
    none: '해당 등급의 경보 이력이 없습니다.',
    level: '등급',
    least: '최소 등급',
    all: '전체',
    raised: '발생',
    name: '경보',
    subject: '대상',
    message: '내용',
    repeats: '반복',
    cleared: '해제',
    notedBy: '확인자',
    stands: '발생 중',
  },
);

/** Alarms that stand, with their acknowledgement, and those of before. */
export function Alarms() {
  const text = useText(TEXT);
  const rows = standing(useTopic('alarms').rows);
  const [level, setLevel] = useState<string>('INFO');
  const [opened, setOpened] = useState<Alarm | null>(null);
  const [noted, setNoted] = useState<Alarm | null>(null);
  const history = usePages(`/api/v1/alarms?state=all&level=${level}`, zAlarmEpisode, { tables: ['system.alarms'] });
  const columns: readonly Column<Alarm>[] = [
    { id: 'raised', title: text.raised, width: '116px', cell: (row) => <Time at={row.raised_ts} /> },
    { id: 'level', title: text.level, width: '92px', cell: (row) => <Level level={row.level} /> },
    { id: 'name', title: text.name, width: 'minmax(120px, 1fr)', cell: (row) => <span title={row.name}>{row.name}</span> },
    { id: 'subject', title: text.subject, width: '90px', isSecondary: true, cell: (row) => row.subject ?? '' },
    { id: 'message', title: text.message, width: 'minmax(200px, 2.4fr)', isSecondary: true, cell: (row) => <span title={row.message}>{row.message}</span> },
    { id: 'repeats', title: text.repeats, align: 'right', width: '74px', isSecondary: true, cell: (row) => <Count value={row.repeats} /> },
    { id: 'cleared', title: text.cleared, align: 'right', width: '116px', isSecondary: true, cell: (row) => (row.cleared_ts == null ? <Tag tone="warn">{text.stands}</Tag> : <Time at={row.cleared_ts} />) },
    { id: 'noted', title: text.notedBy, width: '110px', isSecondary: true, cell: (row) => row.acknowledged_by ?? '' },
  ];
  return (
    <>
      <Panel title={text.standing} count={rows.length} empty={rows.length === 0 ? text.calm : null} isFlush>
        <ul className={css.alarms} data-testid="standing-alarms">
          {rows.map((alarm) => (
            <li key={alarm.id} data-level={alarm.level} data-alarm={alarm.id}>
              <Level level={alarm.level} />
              <span className={css.alarmWords}>
                <b>{alarm.message}</b>
                <span className={css.dim}>
                  {alarm.name}
                  {alarm.subject != null && ` · ${alarm.subject}`} · {alarm.instance} · {text.since} <Time at={alarm.raised_ts} />
                  {alarm.repeats > 0 && ` · ${text.again(alarm.repeats)}`}
                  {alarm.acknowledged_by != null && ` · ${text.noted(alarm.acknowledged_by)}`}
                </span>
              </span>
              <span className={css.alarmActions}>
                <Button size="small" kind="quiet" onClick={() => setOpened(alarm)}>
                  {text.details}
                </Button>
                {alarm.acknowledged_by == null && (
                  <Button size="small" needs="TRADER" data-testid="acknowledge" onClick={() => setNoted(alarm)}>
                    {text.acknowledge}
                  </Button>
                )}
              </span>
            </li>
          ))}
        </ul>
      </Panel>
      <Panel
        title={text.history}
        fault={history.fault}
        onRetry={history.retry}
        isLoading={history.isLoading}
        empty={history.data?.length === 0 ? text.none : null}
        isFlush
        actions={
          <Choice
            label={text.least}
            at={level}
            onChange={setLevel}
            options={[...ALARM_LEVELS].reverse().map((value) => ({ value, label: value === 'INFO' ? text.all : value }))}
          />
        }
      >
        <div data-testid="alarm-history">
          <DataTable label={text.history} columns={columns} rows={history.data ?? []} keyOf={(row) => row.id} onOpen={setOpened} />
        </div>
        <PagesFoot list={history} />
      </Panel>
      {opened !== null && <AlarmDialog alarm={opened} onClose={() => setOpened(null)} />}
      {noted !== null && <AcknowledgeDialog alarm={noted} onClose={() => setNoted(null)} />}
    </>
  );
}
