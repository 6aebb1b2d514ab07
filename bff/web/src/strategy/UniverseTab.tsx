'use client';

import { useMemo, useState } from 'react';
import type { z } from 'zod';

import { zUniverse, zUniverseSymbol } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, ShortWon, Stock } from '../ui/figures';
import { Choice, Input, Select } from '../ui/form';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { CALM_MS, REASON_TEXT, STRATEGY_TABLES, TIER_TEXT, wordOf } from './names';
import { UniverseStats } from './UniverseStats';
import css from './tabs.module.css';

const TEXT = texts(
  {
    title: 'Listings',
    which: 'Which listings',
    passed: 'Passed',
    excluded: 'Kept out',
    stock: 'Stock',
    market: 'Market',
    tier: 'Tier',
    why: 'Kept out because',
    sector: 'Sector',
    cap: 'Market cap',
    volume: 'Volume 5d',
    value: 'Value 5d',
    filter: 'Find',
    any: 'All',
    filterTier: 'Tier',
    filterWhy: 'Reason',
    none: 'No universe has been published yet. A run publishes one when enough listings pass; the newest run says why it did not.',
    noneFound: 'No listing is like that.',
  },
  {
    title: '종목',
    which: '구분',
    passed: '통과',
    excluded: '제외',
    stock: '종목',
    market: '시장',
    tier: '계층',
    why: '제외 사유',
    sector: '업종',
    cap: '시가총액',
    volume: '거래량 5일',
    value: '거래대금 5일',
    filter: '찾기',
    any: '전체',
    filterTier: '계층',
    filterWhy: '사유',
    none: '아직 발행된 유니버스가 없습니다. 충분한 종목이 통과해야 발행되며, 최근 실행에서 사유를 볼 수 있습니다.',
    noneFound: '조건에 맞는 종목이 없습니다.',
  },
);

type Listing = z.infer<typeof zUniverseSymbol>;

function columnsOf(text: (typeof TEXT)['en'], tiers: Record<string, string>, reasons: Record<string, string>, isPassed: boolean): Column<Listing>[] {
  const of: Column<Listing> = isPassed
    ? {
        id: 'tier',
        title: text.tier,
        width: 'minmax(110px, 1.2fr)',
        sort: (row) => `${row.tier} ${row.list ?? ''}`,
        cell: (row) => (
          <>
            <Tag tone={row.tier === 'HOLDING' ? 'good' : row.tier === 'WATCHLIST' ? 'working' : 'plain'}>{wordOf(tiers, row.tier ?? '')}</Tag>{' '}
            {row.list != null && <span className={css.subtle}>{wordOf(tiers, row.list)}</span>}
          </>
        ),
      }
    : {
        id: 'why',
        title: text.why,
        width: 'minmax(150px, 2fr)',
        sort: (row) => row.exclusion,
        cell: (row) => wordOf(reasons, row.exclusion ?? ''),
      };
  return [
    { id: 'stock', title: text.stock, width: 'minmax(140px, 2fr)', sort: (row) => row.name ?? row.symbol, cell: (row) => <Stock name={row.name ?? null} symbol={row.symbol} /> },
    of,
    { id: 'market', title: text.market, width: '84px', isSecondary: true, sort: (row) => row.market, cell: (row) => row.market },
    { id: 'sector', title: text.sector, width: 'minmax(80px, 1fr)', isSecondary: true, sort: (row) => row.sector, cell: (row) => row.sector ?? '–' },
    { id: 'cap', title: text.cap, width: '96px', align: 'right', sort: (row) => row.market_cap, cell: (row) => <ShortWon value={row.market_cap} /> },
    { id: 'volume', title: text.volume, width: '104px', align: 'right', isSecondary: true, sort: (row) => row.avg_volume_5d, cell: (row) => <Count value={row.avg_volume_5d} /> },
    { id: 'value', title: text.value, width: '104px', align: 'right', isSecondary: true, sort: (row) => row.avg_value_5d, cell: (row) => <ShortWon value={row.avg_value_5d} /> },
  ];
}

/** The universe of the newest day: what passes in which tier, and what is kept out and why. */
export function UniverseTab({ strategy, isThere }: { strategy: string; isThere: boolean }) {
  const text = useText(TEXT);
  const tiers = useText(TIER_TEXT);
  const reasons = useText(REASON_TEXT);
  const [which, setWhich] = useState<'passed' | 'excluded'>('passed');
  const [group, setGroup] = useState('');
  const [wanted, setWanted] = useState('');
  const path = isThere ? `/api/v1/universe/latest?strategy_id=${encodeURIComponent(strategy)}&which=${which}` : null;
  const { data, fault, isLoading, retry } = useRead(path, zUniverse, { tables: STRATEGY_TABLES, everyMs: 3 * CALM_MS });
  const isPassed = which === 'passed';
  const groupOf = (row: Listing) => (isPassed ? row.tier : row.exclusion) ?? '';
  const all = data?.symbols ?? [];
  const groups = [...new Set(all.map(groupOf))].sort();
  const needle = wanted.trim().toLowerCase();
  const rows = all.filter(
    (row) => (group === '' || groupOf(row) === group) && (needle === '' || row.symbol.toLowerCase().includes(needle) || (row.name ?? '').toLowerCase().includes(needle)),
  );
  const columns = useMemo(() => columnsOf(text, tiers, reasons, isPassed), [text, tiers, reasons, isPassed]);
  return (
    <>
      {data !== undefined && <UniverseStats stats={data.filter_stats} asOf={data.as_of} />}
      <Panel
        title={text.title}
        count={data === undefined ? null : rows.length}
        actions={
          <span className={css.tools}>
            <Input label={text.filter} isInline type="search" value={wanted} onChange={(event) => setWanted(event.target.value)} />
            <Select
              label={isPassed ? text.filterTier : text.filterWhy}
              isInline
              value={group}
              onChange={(event) => setGroup(event.target.value)}
              options={[{ value: '', label: text.any }, ...groups.map((key) => ({ value: key, label: wordOf(isPassed ? tiers : reasons, key) }))]}
            />
            <Choice
              label={text.which}
              at={which}
              onChange={(next) => {
                setWhich(next);
                setGroup('');
              }}
              options={[
                { value: 'passed', label: text.passed },
                { value: 'excluded', label: text.excluded },
              ]}
            />
          </span>
        }
        fault={fault}
        onRetry={retry}
        isLoading={isLoading}
        empty={!isThere ? text.none : data !== undefined && rows.length === 0 ? text.noneFound : null}
        isFlush
      >
        <DataTable key={which} label={text.title} columns={columns} rows={rows} keyOf={(row) => row.symbol} height="min(56vh, 520px)" />
      </Panel>
    </>
  );
}
