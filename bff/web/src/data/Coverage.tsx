'use client';

import { useMemo } from 'react';

import type { Read } from '../api/hooks';
import { UNKNOWN } from '../money/format';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, Stock, Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { COLLECTION_TEXT, type Collection, type Gap } from './collections';
import css from './data.module.css';

const TEXT = texts(
  {
    coverage: 'Coverage',
    what: 'Collection',
    rows: 'Rows',
    about: 'Estimated by the database',
    symbols: 'Symbols',
    first: 'From',
    last: 'To',
    updated: 'Written',
    coverageEmpty: 'Not told by this server.',
    gaps: 'Missing daily bars',
    gapsEmpty: 'No gap: every active stock has its bar on each business day of the last 60.',
    gapsUnknown: 'Not told by this server.',
    day: 'Day',
    stock: 'Stock',
  },
  {
    coverage: '수집 현황',
    what: '자료',
    rows: '행 수',
    about: '데이터베이스 추정치',
    symbols: '종목 수',
    first: '시작일',
    last: '종료일',
    updated: '최근 기록',
    coverageEmpty: '이 서버가 제공하지 않습니다.',
    gaps: '누락된 일봉',
    gapsEmpty: '누락 없음: 최근 60거래일 동안 모든 상장 종목의 일봉이 있습니다.',
    gapsUnknown: '이 서버가 제공하지 않습니다.',
    day: '날짜',
    stock: '종목',
  },
);

/** How far each collection goes. */
export function CoveragePanel({ read }: { read: Read<Collection[]> }) {
  const text = useText(TEXT);
  const names = useText(COLLECTION_TEXT);
  const columns = useMemo<Column<Collection>[]>(
    () => [
      {
        id: 'what',
        title: text.what,
        width: 'minmax(100px, 1.2fr)',
        sort: (row) => row.collection,
        cell: (row) => names[row.collection as keyof typeof names] ?? row.collection,
      },
      {
        id: 'rows',
        title: text.rows,
        align: 'right',
        width: 'minmax(92px, 1fr)',
        sort: (row) => row.rows,
        cell: (row) => (
          <span title={row.is_estimate === true ? text.about : undefined}>
            {row.is_estimate === true && '≈ '}
            <Count value={row.rows} />
          </span>
        ),
      },
      { id: 'symbols', title: text.symbols, align: 'right', width: '64px', isSecondary: true, sort: (row) => row.symbols, cell: (row) => <Count value={row.symbols} /> },
      { id: 'first', title: text.first, align: 'right', width: '96px', isSecondary: true, sort: (row) => row.first_day, cell: (row) => <span className={css.muted}>{row.first_day ?? UNKNOWN}</span> },
      { id: 'last', title: text.last, align: 'right', width: '96px', sort: (row) => row.last_day, cell: (row) => row.last_day ?? UNKNOWN },
      { id: 'updated', title: text.updated, align: 'right', width: '108px', isSecondary: true, sort: (row) => row.updated_ts, cell: (row) => <Time at={row.updated_ts} /> },
    ],
    [text, names],
  );
  const rows = read.data ?? [];
  return (
    <Panel
      title={text.coverage}
      isFlush
      fault={read.fault}
      onRetry={read.retry}
      isLoading={read.isLoading}
      empty={!read.isLoading && rows.length === 0 ? text.coverageEmpty : null}
    >
      <DataTable label={text.coverage} columns={columns} rows={rows} keyOf={(row) => row.collection} />
    </Panel>
  );
}

/** Business days on which a stock has no bar. */
export function GapsPanel({ read }: { read: Read<Gap[]> }) {
  const text = useText(TEXT);
  const columns = useMemo<Column<Gap>[]>(
    () => [
      { id: 'day', title: text.day, width: '104px', sort: (row) => row.day, cell: (row) => row.day },
      { id: 'stock', title: text.stock, width: 'minmax(140px, 1fr)', sort: (row) => row.name, cell: (row) => <Stock name={row.name} symbol={row.symbol} /> },
    ],
    [text],
  );
  const rows = read.data ?? [];
  return (
    <Panel
      title={text.gaps}
      count={read.data === undefined ? null : rows.length}
      isFlush
      fault={read.fault}
      onRetry={read.retry}
      isLoading={read.isLoading}
      empty={!read.isLoading && rows.length === 0 ? (read.data === undefined ? text.gapsUnknown : text.gapsEmpty) : null}
    >
      <DataTable label={text.gaps} columns={columns} rows={rows} keyOf={(row) => `${row.day} ${row.symbol}`} height={rows.length > 9 ? '316px' : 'auto'} />
    </Panel>
  );
}
