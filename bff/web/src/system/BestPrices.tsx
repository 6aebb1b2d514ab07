'use client';

import { useState } from 'react';

import { NamedStock } from '../risk/NameOf';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Price, Time } from '../ui/figures';
import { Choice } from '../ui/form';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { formatAge, type BestPrice } from './sources';

const TEXT = texts(
  {
    title: 'Best prices',
    all: 'All',
    stale: 'Stale',
    apart: 'Sources disagree',
    show: 'Which prices',
    noneStale: 'No price is stale.',
    noneApart: 'No source says otherwise by more than 0.1 %.',
    symbol: 'Stock',
    price: 'Price',
    source: 'Source',
    age: 'Age',
    received: 'Received',
    why: 'State',
    fresh: 'fresh',
    other: 'Other source',
    says: 'Says',
  },
  {
    title: '대표 시세',
    all: '전체',
    stale: '지연',
    apart: '출처 불일치',
    show: '표시 대상',
    noneStale: '지연된 시세가 없습니다.',
    noneApart: '0.1% 넘게 다른 출처가 없습니다.',
    symbol: '종목',
    price: '가격',
    source: '출처',
    age: '경과',
    received: '수신',
    why: '상태',
    fresh: '최신',
    other: '다른 출처',
    says: '가격',
  },
);

const SHOWN = ['all', 'stale', 'apart'] as const;

/** Every best price with its source and age; stale ones with their reason, and what another source says. */
export function BestPrices({ prices, isLoading, empty }: { prices: readonly BestPrice[]; isLoading: boolean; empty: string | null }) {
  const text = useText(TEXT);
  const [shown, setShown] = useState<(typeof SHOWN)[number]>('all');
  const rows = prices.filter((row) => (shown === 'all' ? true : shown === 'stale' ? row.is_stale : row.apart_level != null));
  const columns: readonly Column<BestPrice>[] = [
    { id: 'symbol', title: text.symbol, width: 'minmax(120px, 1.4fr)', sort: (row) => row.symbol, cell: (row) => <NamedStock symbol={row.symbol} /> },
    { id: 'price', title: text.price, align: 'right', width: 'minmax(84px, 1fr)', sort: (row) => row.price, cell: (row) => <Price value={row.price} /> },
    { id: 'source', title: text.source, isSecondary: true, sort: (row) => row.source, cell: (row) => row.source },
    { id: 'age', title: text.age, align: 'right', width: 'minmax(58px, 1fr)', sort: (row) => row.age_ms, cell: (row) => formatAge(row.age_ms) },
    { id: 'received', title: text.received, align: 'right', isSecondary: true, sort: (row) => row.received_ts, cell: (row) => <Time at={row.received_ts} /> },
    {
      id: 'why',
      title: text.why,
      width: 'minmax(110px, 1.2fr)',
      sort: (row) => (row.is_stale ? (row.stale_reason ?? '') : null),
      cell: (row) => <Tag tone={row.is_stale ? 'warn' : 'good'}>{row.is_stale ? (row.stale_reason ?? text.stale) : text.fresh}</Tag>,
    },
    {
      id: 'other',
      title: text.other,
      isSecondary: true,
      width: 'minmax(150px, 1.4fr)',
      sort: (row) => row.apart_level,
      cell: (row) =>
        row.apart_level == null ? (
          ''
        ) : (
          <>
            <Tag tone={row.apart_level === 'HIGH' ? 'bad' : row.apart_level === 'MEDIUM' ? 'warn' : 'plain'}>{row.apart_level}</Tag> {row.apart_source}
          </>
        ),
    },
    { id: 'says', title: text.says, align: 'right', isSecondary: true, cell: (row) => (row.apart_price == null ? '' : <Price value={row.apart_price} />) },
  ];
  const none = shown === 'stale' ? text.noneStale : shown === 'apart' ? text.noneApart : null;
  return (
    <Panel
      title={text.title}
      count={rows.length}
      isLoading={isLoading}
      isFlush
      empty={empty ?? (rows.length === 0 ? none : null)}
      actions={<Choice label={text.show} at={shown} onChange={setShown} options={SHOWN.map((value) => ({ value, label: text[value] }))} />}
    >
      <div data-testid="best-prices" data-live="">
        <DataTable label={text.title} columns={columns} rows={rows} keyOf={(row) => row.symbol} sortedBy={{ id: 'age', desc: true }} height={rows.length > 14 ? '460px' : 'auto'} />
      </div>
    </Panel>
  );
}
