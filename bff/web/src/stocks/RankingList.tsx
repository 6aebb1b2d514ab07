'use client';

import { useMemo, type ReactNode } from 'react';

import { useRead } from '../api/hooks';
import { basisPointsOfPercent, formatBasisPoints } from '../money/format';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, Percent, ShortWon, Stock as StockName } from '../ui/figures';
import { Choice } from '../ui/form';
import { Panel } from '../ui/Panel';
import { useAddress } from '../shell/address';
import { LiveChange, LivePrice } from './live';
import { CATEGORIES, CATEGORY_TEXT, zMarketRanking, type Category, type Ranked } from './rankings';
import css from './stocks.module.css';

const TEXT = texts(
  {
    category: 'Ranked by',
    market: 'Market',
    all: 'All',
    asOf: (day: string) => `as of ${day}`,
    rank: '#',
    stock: 'Stock',
    price: 'Price',
    change: 'Change',
    volume: 'Volume',
    value: 'Traded value',
    net: 'Net shares',
    cap: 'Market cap',
    high: 'Of the high',
    highHint: 'Close in percent of the highest price of 52 weeks',
    close: 'At the close',
    empty: 'Nothing to rank yet. Rankings come from daily bars, investor flows and imported lists; see Data for what is collected.',
  },
  {
    category: '순위 기준',
    market: '시장',
    all: '전체',
    asOf: (day: string) => `${day} 기준`,
    rank: '#',
    stock: '종목',
    price: '현재가',
    change: '등락',
    volume: '거래량',
    value: '거래대금',
    net: '순매수(주)',
    cap: '시가총액',
    high: '최고가 대비',
    highHint: '52주 최고가 대비 종가(%)',
    close: '종가 등락',
    empty: '순위를 매길 자료가 없습니다. 일봉·투자자 수급·인기 목록에서 계산됩니다. 수집 현황은 데이터 화면을 확인하세요.',
  },
);

interface RankedBy {
  title: 'net' | 'cap' | 'high' | 'close';
  hint?: 'highHint';
  show: (value: number | null | undefined) => ReactNode;
}

/** What is ranked by, where no column has it anyway. */
const RANKED: Partial<Record<Category, RankedBy>> = {
  gainers: { title: 'close', show: (value) => <Percent value={value} /> },
  losers: { title: 'close', show: (value) => <Percent value={value} /> },
  foreign_net_buy: { title: 'net', show: (value) => <Count value={value} /> },
  institution_net_buy: { title: 'net', show: (value) => <Count value={value} /> },
  market_cap: { title: 'cap', show: (value) => <ShortWon value={value} /> },
  high_52week: { title: 'high', hint: 'highHint', show: (value) => <>{formatBasisPoints(basisPointsOfPercent(value)).replace(/^\+/, '')}</> },
};

const MARKETS = ['ALL', 'KOSPI', 'KOSDAQ'] as const;

/** How often it is asked for: it comes from daily figures. */
const EVERY_MS = 60_000;

/** The market ranked by one of its figures. */
export function RankingList({ chosen, onChoose }: { chosen: string | null; onChoose: (symbol: string) => void }) {
  const text = useText(TEXT);
  const names = useText(CATEGORY_TEXT);
  const address = useAddress();
  const category = CATEGORIES.find((one) => one === address.get('by')) ?? 'trading_value';
  const market = MARKETS.find((one) => one === address.get('market')) ?? 'ALL';
  const { data, fault, isLoading, retry } = useRead(
    `/api/v1/market/rankings?category=${category}&market=${market}&limit=100`,
    zMarketRanking,
    { everyMs: EVERY_MS },
  );
  const rows = data?.stocks ?? [];
  const columns = useMemo<Column<Ranked>[]>(() => {
    const ranked = RANKED[category];
    return [
      { id: 'rank', title: text.rank, align: 'right', width: '44px', sort: (row) => row.rank, cell: (row) => <span className={css.muted}>{row.rank}</span> },
      { id: 'stock', title: text.stock, width: 'minmax(120px, 2fr)', sort: (row) => row.name ?? row.symbol, cell: (row) => <StockName name={row.name ?? null} symbol={row.symbol} /> },
      {
        id: 'price',
        title: text.price,
        align: 'right',
        width: '92px',
        sort: (row) => row.price,
        cell: (row) => <LivePrice symbol={row.symbol} last={{ last_price: row.price, change_rate: row.change_rate }} />,
      },
      {
        id: 'change',
        title: text.change,
        align: 'right',
        width: '80px',
        sort: (row) => row.change_rate,
        cell: (row) => <LiveChange symbol={row.symbol} last={{ last_price: row.price, change_rate: row.change_rate }} />,
      },
      ...(ranked === undefined
        ? []
        : [
            {
              id: 'ranked',
              title: text[ranked.title],
              ...(ranked.hint === undefined ? {} : { hint: text[ranked.hint] }),
              align: 'right' as const,
              width: '104px',
              isSecondary: true,
              sort: (row: Ranked) => row.value,
              cell: (row: Ranked) => ranked.show(row.value),
            },
          ]),
      { id: 'volume', title: text.volume, align: 'right', width: 'minmax(88px, 1fr)', isSecondary: true, sort: (row) => row.volume, cell: (row) => <Count value={row.volume} /> },
      { id: 'value', title: text.value, align: 'right', width: 'minmax(84px, 1fr)', isSecondary: true, sort: (row) => row.trading_value, cell: (row) => <ShortWon value={row.trading_value} /> },
      { id: 'market', title: text.market, width: '84px', isSecondary: true, sort: (row) => row.market, cell: (row) => <span className={css.muted}>{row.market}</span> },
    ];
  }, [text, category]);
  return (
    <Panel
      title={names[category]}
      count={data?.as_of == null ? null : text.asOf(data.as_of.slice(0, 10))}
      isFlush
      fault={fault}
      onRetry={retry}
      isLoading={isLoading}
      empty={!isLoading && rows.length === 0 ? text.empty : null}
      actions={
        <div className={css.filters}>
          <Choice
            label={text.market}
            options={MARKETS.map((value) => ({ value, label: value === 'ALL' ? text.all : value }))}
            at={market}
            onChange={(value) => address.set({ market: value === 'ALL' ? null : value })}
          />
          <Choice
            label={text.category}
            options={CATEGORIES.map((value) => ({ value, label: names[value] }))}
            at={category}
            onChange={(value) => address.set({ by: value })}
          />
        </div>
      }
    >
      <DataTable
        key={category}
        label={names[category]}
        columns={columns}
        rows={rows}
        keyOf={(row) => row.symbol}
        onOpen={(row) => onChoose(row.symbol)}
        openKey={chosen}
        height="max(240px, calc(100dvh - 172px - var(--tabs-height)))"
      />
    </Panel>
  );
}
