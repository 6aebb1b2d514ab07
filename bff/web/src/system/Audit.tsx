'use client';

import { useState } from 'react';

import { useMay } from '../access/context';
import { zAuditEntry } from '../api/generated/zod.gen';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { Time } from '../ui/figures';
import { Select } from '../ui/form';
import { PagesFoot } from '../ui/list';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { useAddress } from '../shell/address';
import { inShort, type Change } from './audit';
import { AuditDialog } from './AuditDialog';
import { useFollowedPages } from './followed';
import css from './system.module.css';

const TEXT = texts(
  {
    title: 'Audit',
    mayNot: 'The audit is for administrators. Sign in with a token of role admin to see who changed what.',
    empty: 'No change was made yet.',
    none: 'No change is like that.',
    table: 'Table',
    actor: 'Who',
    all: 'All',
    time: 'Time',
    op: 'Change',
    what: 'What is other',
    reason: 'Reason',
    clear: 'Clear filters',
  },
  {
    title: '감사 기록',
    mayNot: '감사 기록은 관리자만 볼 수 있습니다. 관리자 토큰으로 로그인하세요.',
    empty: '아직 변경 기록이 없습니다.',
    none: '조건에 맞는 변경이 없습니다.',
    table: '테이블',
    actor: '변경자',
    all: '전체',
    time: '시각',
    op: '종류',
    what: '변경 내용',
    reason: '사유',
    clear: '필터 초기화',
  },
);

/** Tables of which changes are kept, as far as operators change them. */
const TABLES = [
  'system.alarms',
  'system.config',
  'system.emergency_stop',
  'system.risk_limits',
  'system.risk_profile',
  'strategy.portfolios',
  'strategy.watchlist',
  'trade.exit_control',
  'trade.exit_pauses',
  'trade.exit_rules',
  'trade.manual_exits',
  'trade.order_requests',
  'trade.positions',
  'trade.reentry_blacklist',
  'trade.reentry_control',
  'trade.reentry_limits',
  'trade.reentry_rules',
] as const;

/** Who changed what and why; for administrators. */
export function Audit() {
  const text = useText(TEXT);
  const isAllowed = useMay('ADMIN');
  const { get, set } = useAddress();
  const [opened, setOpened] = useState<Change | null>(null);
  const [table, actor] = [(get('table') ?? ''), (get('actor') ?? '')];
  const asked = new URLSearchParams();
  if (table !== '') asked.set('table', table);
  if (actor !== '') asked.set('actor', actor);
  const query = asked.toString();
  const list = useFollowedPages(isAllowed ? `/api/v1/audit${query === '' ? '' : `?${query}`}` : null, zAuditEntry);
  const rows = list.data ?? [];
  const options = (known: readonly string[], at: string) => [...new Set([...known, ...(at === '' ? [] : [at])])].sort().map((value) => ({ value, label: value }));
  const columns: readonly Column<Change>[] = [
    { id: 'time', title: text.time, width: '116px', cell: (row) => <Time at={row.ts} /> },
    { id: 'actor', title: text.actor, width: 'minmax(100px, 0.8fr)', cell: (row) => <span title={row.on_behalf_of ?? ''}>{row.on_behalf_of ?? row.actor}</span> },
    { id: 'op', title: text.op, width: '88px', isSecondary: true, cell: (row) => <Tag tone={row.op === 'DELETE' ? 'bad' : row.op === 'INSERT' ? 'good' : 'plain'}>{row.op}</Tag> },
    { id: 'table', title: text.table, width: 'minmax(130px, 1fr)', cell: (row) => <code title={row.table_name}>{row.table_name}</code> },
    { id: 'what', title: text.what, width: 'minmax(200px, 2.6fr)', isSecondary: true, cell: (row) => <span title={inShort(row)}>{inShort(row)}</span> },
    { id: 'reason', title: text.reason, width: 'minmax(110px, 1.2fr)', isSecondary: true, cell: (row) => <span title={row.reason ?? ''}>{row.reason ?? ''}</span> },
  ];
  return (
    <Panel
      title={text.title}
      count={list.data === undefined ? null : `${rows.length}${list.hasMore ? '+' : ''}`}
      fault={list.fault}
      onRetry={list.retry}
      isLoading={list.isLoading}
      empty={isAllowed ? null : text.mayNot}
      isFlush
      actions={
        query !== '' && (
          <Button size="small" onClick={() => set({ table: '', actor: '' })}>
            {text.clear}
          </Button>
        )
      }
    >
      <div className={css.filters}>
        <Select
          label={text.table}
          value={table}
          options={[{ value: '', label: text.all }, ...options([...TABLES, ...rows.map((row) => row.table_name)], table)]}
          onChange={(event) => set({ table: event.target.value })}
        />
        <Select
          label={text.actor}
          value={actor}
          options={[{ value: '', label: text.all }, ...options(rows.map((row) => row.actor), actor)]}
          onChange={(event) => set({ actor: event.target.value })}
        />
      </div>
      {list.data !== undefined && rows.length === 0 ? (
        <p className={css.nothing}>{query === '' ? text.empty : text.none}</p>
      ) : (
        <div data-testid="audit">
          <DataTable label={text.title} columns={columns} rows={rows} keyOf={(row) => String(row.id)} onOpen={setOpened} />
        </div>
      )}
      <PagesFoot list={list} />
      {opened !== null && <AuditDialog change={opened} onClose={() => setOpened(null)} />}
    </Panel>
  );
}
