'use client';

import { useState } from 'react';
import { z } from 'zod';

import { useRead } from '../api/hooks';
import { usePreferences } from '../shell/preferences';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { Time } from '../ui/figures';
import { Choice, Input } from '../ui/form';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { SettingDialog } from './SettingDialog';
import { CONFIG_PATH, isChanged, nameOf, typed, unitSign, zLimits, type LimitLevel, type Setting } from './settings';
import { KOREAN_TITLES } from './titles';
import css from './system.module.css';

const TEXT = texts(
  {
    title: 'Settings',
    about: 'Limits of alarms. They count within two seconds, for every process; a file of a process says otherwise only where there is no row here.',
    find: 'Find',
    placeholder: 'name or words',
    show: 'Which settings',
    all: 'All',
    changed: 'Changed',
    none: 'No setting is like that.',
    key: 'Setting',
    what: 'What it is about',
    warning: 'Warning',
    critical: 'Critical',
    fallback: 'Default',
    by: 'Changed by',
    edit: 'Change',
    editKey: (key: string) => `Change ${key}`,
    fault: 'cannot be taken',
  },
  {
    title: '설정',
    about: '경보 한도입니다. 2초 안에 모든 프로세스에 적용되며, 여기에 값이 없을 때만 프로세스 설정 파일이 우선합니다.',
    find: '찾기',
    placeholder: '이름 또는 내용',
    show: '표시 대상',
    all: '전체',
    changed: '변경됨',
    none: '조건에 맞는 설정이 없습니다.',
    key: '설정',
    what: '내용',
    warning: '경고',
    critical: '심각',
    fallback: '기본값',
    by: '변경자',
    edit: '변경',
    editKey: (key: string) => `${key} 변경`,
    fault: '적용 불가',
  },
);

const SHOWN = ['all', 'changed'] as const;

/** A limit with its unit; one that is another than the default stands out. */
function Limit({ setting, level }: { setting: Setting; level: LimitLevel }) {
  const value = setting.value[level];
  if (value === undefined) return <span className={css.dim}>–</span>;
  const text = `${typed(value, setting.unit)} ${unitSign(setting.unit)}`.trim();
  return value === setting.default[level] ? <>{text}</> : <b className={css.waits}>{text}</b>;
}

function defaults(setting: Setting): string {
  const sign = unitSign(setting.unit);
  return [setting.default.warning, setting.default.critical]
    .filter((value) => value !== undefined)
    .map((value) => `${typed(value, setting.unit)} ${sign}`.trim())
    .join(' / ');
}

/** Every key of the configuration with its value and default, and the way to change it. */
export function Settings() {
  const text = useText(TEXT);
  const { language } = usePreferences();
  const [wanted, setWanted] = useState('');
  const [shown, setShown] = useState<(typeof SHOWN)[number]>('all');
  const [edited, setEdited] = useState<string | null>(null);
  const read = useRead(CONFIG_PATH, z.array(zLimits), { tables: ['system.config'] });
  const settings = read.data ?? [];
  const titleOf = (row: Setting) => (language === 'ko' ? (KOREAN_TITLES[nameOf(row.key)] ?? row.title) : row.title);
  const rows = settings.filter(
    (row) => (shown === 'all' || isChanged(row) || row.version > 0) && `${row.key} ${row.title} ${titleOf(row)}`.toLowerCase().includes(wanted.trim().toLowerCase()),
  );
  const open = settings.find(({ key }) => key === edited);
  const columns: readonly Column<Setting>[] = [
    { id: 'key', title: text.key, width: 'minmax(140px, 1.2fr)', sort: (row) => row.key, cell: (row) => <code title={row.key}>{nameOf(row.key)}</code> },
    { id: 'what', title: text.what, width: 'minmax(160px, 2.4fr)', isSecondary: true, cell: (row) => <span title={row.title}>{titleOf(row)}</span> },
    { id: 'warning', title: text.warning, align: 'right', width: '80px', cell: (row) => <Limit setting={row} level="warning" /> },
    { id: 'critical', title: text.critical, align: 'right', width: '80px', cell: (row) => <Limit setting={row} level="critical" /> },
    { id: 'default', title: text.fallback, align: 'right', width: '110px', isSecondary: true, cell: (row) => <span className={css.dim}>{defaults(row)}</span> },
    {
      id: 'by',
      title: text.by,
      width: 'minmax(120px, 1fr)',
      isSecondary: true,
      sort: (row) => row.updated_ts,
      cell: (row) =>
        row.fault != null ? (
          <Tag tone="bad" title={row.fault}>
            {text.fault}
          </Tag>
        ) : row.updated_by == null ? (
          ''
        ) : (
          <span title={row.reason ?? ''}>
            {row.updated_by} · <Time at={row.updated_ts} />
          </span>
        ),
    },
    {
      id: 'edit',
      title: '',
      align: 'right',
      width: '96px',
      cell: (row) => (
        <Button size="small" needs="ADMIN" aria-label={text.editKey(row.key)} data-testid={`edit-${row.key}`} onClick={() => setEdited(row.key)}>
          {text.edit}
        </Button>
      ),
    },
  ];
  return (
    <Panel title={text.title} count={rows.length} fault={read.fault} onRetry={read.retry} isLoading={read.isLoading} isFlush>
      <p className={css.lead}>{text.about}</p>
      <div className={css.filters}>
        <Choice label={text.show} at={shown} onChange={setShown} options={SHOWN.map((value) => ({ value, label: text[value] }))} />
        <Input label={text.find} value={wanted} placeholder={text.placeholder} onChange={(event) => setWanted(event.target.value)} />
      </div>
      {rows.length === 0 ? (
        <p className={css.nothing}>{text.none}</p>
      ) : (
        <div data-testid="settings">
          <DataTable label={text.title} columns={columns} rows={rows} keyOf={(row) => row.key} />
        </div>
      )}
      {open !== undefined && <SettingDialog key={open.key} setting={open} title={titleOf(open)} onClose={() => setEdited(null)} />}
    </Panel>
  );
}
