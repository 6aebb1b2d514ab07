'use client';

import { useMemo, useState } from 'react';
import type { z } from 'zod';

import { zRanked, zRankings } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { ShortWon, Stock } from '../ui/figures';
import { Choice } from '../ui/form';
import { Split } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { Gauge } from './Gauge';
import { CALM_MS, formatScore, REASON_TEXT, STRATEGY_TABLES, wordOf } from './names';
import { RankStory } from './RankStory';
import css from './tabs.module.css';

const TEXT = texts(
  {
    title: 'Ranking',
    shown: 'Which places',
    all: 'All',
    selected: 'Selected',
    rank: '#',
    moved: 'Moved',
    movedHint: 'Places that diversity moved it by',
    stock: 'Stock',
    sector: 'Sector',
    total: 'Total',
    score: 'Score',
    lost: 'Lost',
    lostHint: 'Points lost because its sector or market is well represented above it',
    strength: 'Strength',
    risk: 'Risk',
    volatility: 'Volatility',
    liquidity: 'Value a day',
    state: 'Selected',
    yes: 'selected',
    none: 'No ranking has been published yet. It follows from signals: run the strategy first.',
    noneSelected: 'Nothing is selected on this day.',
  },
  {
    title: '랭킹',
    shown: '표시 범위',
    all: '전체',
    selected: '선정',
    rank: '#',
    moved: '이동',
    movedHint: '분산 규칙으로 바뀐 순위',
    stock: '종목',
    sector: '업종',
    total: '총점',
    score: '점수',
    lost: '감점',
    lostHint: '같은 업종·시장이 위에 많아 받은 감점',
    strength: '강도',
    risk: '위험',
    volatility: '변동성',
    liquidity: '일 거래대금',
    state: '선정',
    yes: '선정',
    none: '아직 발행된 랭킹이 없습니다. 시그널에서 나오므로 먼저 전략을 실행하세요.',
    noneSelected: '이 날짜에 선정된 종목이 없습니다.',
  },
);

export type Ranked = z.infer<typeof zRanked>;

/** The place that each symbol would have by its score alone. */
export function placesByScore(rows: readonly Ranked[]): Map<string, number> {
  const sorted = [...rows].sort((a, b) => b.score - a.score || a.rank - b.rank);
  return new Map(sorted.map((row, place) => [row.symbol, place + 1]));
}

function Moved({ by }: { by: number }) {
  if (by === 0) return <>–</>;
  return <span>{by > 0 ? `▲ ${by}` : `▼ ${-by}`}</span>;
}

/** The newest ranking: the score of each symbol, what diversity took from it, and who is selected. */
export function RankingTab({ strategy, isThere, symbol, onSymbol }: { strategy: string; isThere: boolean; symbol: string | null; onSymbol: (symbol: string) => void }) {
  const text = useText(TEXT);
  const reasons = useText(REASON_TEXT);
  const [shown, setShown] = useState<'all' | 'selected'>('all');
  const path = isThere ? `/api/v1/rankings/latest?strategy_id=${encodeURIComponent(strategy)}` : null;
  const { data, fault, isLoading, retry } = useRead(path, zRankings, { tables: STRATEGY_TABLES, everyMs: 3 * CALM_MS });
  const all = data?.rows;
  const places = useMemo(() => placesByScore(all ?? []), [all]);
  const rows = useMemo(() => (all ?? []).filter((row) => shown === 'all' || row.selected), [all, shown]);
  const columns = useMemo<Column<Ranked>[]>(() => {
    const movedBy = (row: Ranked) => (places.get(row.symbol) ?? row.rank) - row.rank;
    return [
      { id: 'rank', title: text.rank, width: '44px', align: 'right', sort: (row) => row.rank, cell: (row) => row.rank },
      { id: 'moved', title: text.moved, hint: text.movedHint, width: '58px', align: 'right', isSecondary: true, sort: movedBy, cell: (row) => <Moved by={movedBy(row)} /> },
      { id: 'stock', title: text.stock, width: 'minmax(126px, 2fr)', sort: (row) => row.name ?? row.symbol, cell: (row) => <Stock name={row.name ?? null} symbol={row.symbol} /> },
      { id: 'sector', title: text.sector, width: 'minmax(64px, 0.8fr)', isSecondary: true, sort: (row) => row.sector, cell: (row) => row.sector ?? '–' },
      { id: 'total', title: text.total, width: 'minmax(96px, 1fr)', align: 'right', sort: (row) => row.total_score, cell: (row) => <Gauge value={row.total_score} /> },
      { id: 'lost', title: text.lost, hint: text.lostHint, width: '54px', align: 'right', isSecondary: true, sort: (row) => row.sector_loss + row.market_loss, cell: (row) => (row.sector_loss + row.market_loss === 0 ? '–' : `−${row.sector_loss + row.market_loss}`) },
      { id: 'strength', title: text.strength, width: '72px', align: 'right', isSecondary: true, sort: (row) => row.strength, cell: (row) => formatScore(row.strength) },
      { id: 'risk', title: text.risk, width: '62px', align: 'right', isSecondary: true, sort: (row) => row.risk_score, cell: (row) => formatScore(row.risk_score) },
      { id: 'volatility', title: text.volatility, width: '76px', align: 'right', isSecondary: true, sort: (row) => row.volatility, cell: (row) => (row.volatility == null ? '–' : `${formatScore(row.volatility)} %`) },
      { id: 'liquidity', title: text.liquidity, width: '88px', align: 'right', isSecondary: true, sort: (row) => row.liquidity, cell: (row) => <ShortWon value={row.liquidity} /> },
      {
        id: 'state',
        title: text.state,
        width: 'minmax(104px, 1fr)',
        sort: (row) => row.reason ?? '',
        cell: (row) => (row.selected ? <Tag tone="good">{text.yes}</Tag> : <span className={css.subtle}>{wordOf(reasons, row.reason ?? '')}</span>),
      },
    ];
  }, [text, reasons, places]);
  const open = (all ?? []).find((row) => row.symbol === symbol) ?? rows[0];
  return (
    <Split columns="minmax(0, 3.2fr) minmax(0, 1fr)">
      <Panel
        title={text.title}
        count={data?.as_of ?? null}
        actions={
          <Choice
            label={text.shown}
            at={shown}
            onChange={setShown}
            options={[
              { value: 'all', label: `${text.all} ${all?.length ?? ''}` },
              { value: 'selected', label: `${text.selected} ${all?.filter((row) => row.selected).length ?? ''}` },
            ]}
          />
        }
        fault={fault}
        onRetry={retry}
        isLoading={isLoading}
        empty={!isThere ? text.none : data !== undefined && rows.length === 0 ? text.noneSelected : null}
        isFlush
      >
        <DataTable label={text.title} columns={columns} rows={rows} keyOf={(row) => row.symbol} onOpen={(row) => onSymbol(row.symbol)} openKey={open?.symbol ?? null} height="min(66vh, 620px)" />
      </Panel>
      {open !== undefined && <RankStory row={open} byScore={places.get(open.symbol) ?? open.rank} />}
    </Split>
  );
}
