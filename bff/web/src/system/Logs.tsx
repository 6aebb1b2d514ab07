'use client';

import { useEffect, useState } from 'react';

import { zLogEntry } from '../api/generated/zod.gen';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { Time } from '../ui/figures';
import { Choice, Input } from '../ui/form';
import { PagesFoot } from '../ui/list';
import { Panel } from '../ui/Panel';
import { useAddress } from '../shell/address';
import { ALARM_LEVELS } from './alarms';
import { useFollowedPages } from './followed';
import { Level } from './Level';
import { hasText, type Entry } from './log';
import { LogDialog } from './LogDialog';
import css from './system.module.css';

const TEXT = texts(
  {
    title: 'Logs',
    empty: 'Nothing was logged yet. What operators have to know is: faults, their ends, changes of state.',
    none: 'No entry is like that.',
    noText: 'None of the loaded entries has this text. Load older ones, or ask for an event.',
    level: 'Level',
    all: 'All',
    event: 'Event',
    eventHint: 'exact, such as BROKER_DOWN',
    symbol: 'Symbol',
    text: 'Text',
    textHint: 'in what is loaded',
    clear: 'Clear filters',
    time: 'Time',
    module: 'Module',
    message: 'Message',
  },
  {
    title: '로그',
    empty: '아직 기록된 로그가 없습니다. 장애와 복구, 상태 변화가 기록됩니다.',
    none: '조건에 맞는 로그가 없습니다.',
    noText: '불러온 로그에 해당 텍스트가 없습니다. 이전 기록을 더 불러오거나 이벤트로 검색하세요.',
    level: '등급',
    all: '전체',
    event: '이벤트',
    eventHint: '정확히 입력, 예: BROKER_DOWN',
    symbol: '종목코드',
    text: '텍스트',
    textHint: '불러온 로그에서 찾기',
    clear: '필터 초기화',
    time: '시각',
    module: '모듈',
    message: '내용',
  },
);

/** How long somebody types before the server is asked. */
const LINGER_MS = 300;

/** A field of the filter that is put in the address once its typing pauses. */
function Typed({ label, hint, name }: { label: string; hint?: string; name: string }) {
  const { get, set } = useAddress();
  const asked = (get(name) ?? '');
  const [typed, setTyped] = useState(asked);
  useEffect(() => setTyped(asked), [asked]);
  useEffect(() => {
    if (typed.trim() === asked) return;
    const timer = setTimeout(() => set({ [name]: typed.trim() }), LINGER_MS);
    return () => clearTimeout(timer);
  }, [typed, asked, name, set]);
  return <Input label={label} value={typed} {...(hint === undefined ? {} : { placeholder: hint })} onChange={(event) => setTyped(event.target.value)} />;
}

/** What the system tells its operators, by level, event, symbol and text. */
export function Logs() {
  const text = useText(TEXT);
  const { get, set } = useAddress();
  const [opened, setOpened] = useState<Entry | null>(null);
  const [level, event, symbol, wanted] = [(get('level') ?? ''), (get('event') ?? ''), (get('symbol') ?? ''), (get('text') ?? '')];
  const asked = new URLSearchParams();
  if (level !== '') asked.set('level', level);
  if (event !== '') asked.set('event', event);
  if (symbol !== '') asked.set('symbol', symbol);
  const query = asked.toString();
  const list = useFollowedPages(`/api/v1/logs${query === '' ? '' : `?${query}`}`, zLogEntry);
  const rows = (list.data ?? []).filter((row) => hasText(row, wanted));
  const isFiltered = query !== '' || wanted !== '';
  const columns: readonly Column<Entry>[] = [
    { id: 'time', title: text.time, width: '116px', cell: (row) => <Time at={row.ts} /> },
    { id: 'level', title: text.level, width: '92px', cell: (row) => <Level level={row.level} /> },
    { id: 'event', title: text.event, width: 'minmax(130px, 1fr)', isSecondary: true, cell: (row) => <code title={row.event}>{row.event}</code> },
    { id: 'symbol', title: text.symbol, width: '80px', isSecondary: true, cell: (row) => row.symbol ?? '' },
    { id: 'message', title: text.message, width: 'minmax(160px, 3.4fr)', cell: (row) => <span title={row.message}>{row.message}</span> },
    { id: 'module', title: text.module, width: '140px', isSecondary: true, cell: (row) => row.module },
  ];
  const none = wanted !== '' && (list.data?.length ?? 0) > 0 ? text.noText : isFiltered ? text.none : text.empty;
  return (
    <Panel
      title={text.title}
      count={list.data === undefined ? null : `${rows.length}${list.hasMore ? '+' : ''}`}
      fault={list.fault}
      onRetry={list.retry}
      isFlush
      actions={
        isFiltered && (
          <Button size="small" onClick={() => set({ level: '', event: '', symbol: '', text: '' })}>
            {text.clear}
          </Button>
        )
      }
    >
      <div className={css.filters}>
        <Choice
          label={text.level}
          at={level}
          onChange={(value) => set({ level: value })}
          options={[{ value: '', label: text.all }, ...ALARM_LEVELS.map((value) => ({ value, label: value }))]}
        />
        <Typed label={text.event} hint={text.eventHint} name="event" />
        <Typed label={text.symbol} name="symbol" />
        <Typed label={text.text} hint={text.textHint} name="text" />
      </div>
      {list.data !== undefined && rows.length === 0 ? (
        <p className={css.nothing}>{none}</p>
      ) : (
        <div data-testid="logs">
          <DataTable label={text.title} columns={columns} rows={rows} keyOf={(row) => String(row.id)} onOpen={setOpened} />
        </div>
      )}
      <PagesFoot list={list} />
      {opened !== null && <LogDialog entry={opened} onClose={() => setOpened(null)} />}
    </Panel>
  );
}
