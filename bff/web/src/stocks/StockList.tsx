'use client';

import { useCallback, useEffect, useMemo, useState } from 'react';

import { zStock } from '../api/generated/zod.gen';
import { usePages } from '../api/hooks';
import { UNKNOWN } from '../money/format';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { ShortWon, Stock as StockName } from '../ui/figures';
import { Choice, Input, Switch } from '../ui/form';
import { Panel } from '../ui/Panel';
import { useAddress } from '../shell/address';
import { FlagTags } from './Flags';
import { HeldTag } from './HeldTag';
import { LiveChange, LivePrice } from './live';
import { flagsOf, listPath, MARKETS, STOCK_TABLES, type Stock } from './stock';
import css from './stocks.module.css';

const TEXT = texts(
  {
    title: 'Listed',
    market: 'Market',
    all: 'All',
    search: 'Name or code',
    tradable: 'Tradable only',
    stock: 'Stock',
    price: 'Price',
    change: 'Change',
    cap: 'Market cap',
    sector: 'Sector',
    flags: 'Status',
    empty: 'No stock matches. Take away a filter, or search for another part of a name or code.',
    none: 'No stock is known yet. The job “stocks” and imports of the master list fill it; see Data.',
  },
  {
    title: '상장 종목',
    market: '시장',
    all: '전체',
    search: '종목명·코드',
    tradable: '거래 가능만',
    stock: '종목',
    price: '현재가',
    change: '등락',
    cap: '시가총액',
    sector: '업종',
    flags: '상태',
    empty: '조건에 맞는 종목이 없습니다. 필터를 해제하거나 다른 검색어를 입력하세요.',
    none: '등록된 종목이 없습니다. “stocks” 작업이나 마스터 가져오기로 채워집니다. 데이터 화면을 확인하세요.',
  },
);

/** How long somebody types before the server is asked. */
const LINGER_MS = 200;

/** Issues of the exchange, page by page, narrowed by market, name and whether they may be traded. */
export function StockList({ chosen, onChoose }: { chosen: string | null; onChoose: (symbol: string) => void }) {
  const text = useText(TEXT);
  const address = useAddress();
  const market = MARKETS.find((one) => one === address.get('market')) ?? 'all';
  const search = address.get('q') ?? '';
  const isTradableOnly = address.get('tradable') === '1';
  const [typed, setTyped] = useState(search);
  useEffect(() => {
    const timer = setTimeout(() => address.set({ q: typed.trim() === '' ? null : typed.trim() }), LINGER_MS);
    return () => clearTimeout(timer);
  }, [typed, address]);
  const { data, fault, isLoading, retry, hasMore, isLoadingMore, more } = usePages(
    listPath({ market, search, isTradableOnly }),
    zStock,
    { tables: STOCK_TABLES },
  );
  const rows = data ?? [];
  const isNarrowed = market !== 'all' || search !== '' || isTradableOnly;
  const end = useCallback(() => {
    if (hasMore && !isLoadingMore) more();
  }, [hasMore, isLoadingMore, more]);
  const columns = useMemo<Column<Stock>[]>(
    () => [
      { id: 'stock', title: text.stock, width: 'minmax(140px, 1.6fr)', sort: (row) => row.name, cell: (row) => <StockName name={row.name} symbol={row.symbol} /> },
      { id: 'market', title: text.market, width: 'minmax(72px, 0.6fr)', isSecondary: true, sort: (row) => row.market, cell: (row) => <span className={css.muted}>{row.market}</span> },
      { id: 'price', title: text.price, align: 'right', width: 'minmax(84px, 0.8fr)', sort: (row) => row.last_price, cell: (row) => <LivePrice symbol={row.symbol} last={row} /> },
      { id: 'change', title: text.change, align: 'right', width: 'minmax(72px, 0.7fr)', sort: (row) => row.change_rate, cell: (row) => <LiveChange symbol={row.symbol} last={row} /> },
      { id: 'cap', title: text.cap, align: 'right', width: 'minmax(84px, 0.7fr)', isSecondary: true, sort: (row) => row.market_cap, cell: (row) => <ShortWon value={row.market_cap} /> },
      { id: 'sector', title: text.sector, width: 'minmax(80px, 1fr)', isSecondary: true, sort: (row) => row.sector, cell: (row) => <span lang="ko">{row.sector ?? UNKNOWN}</span> },
      {
        id: 'flags',
        title: text.flags,
        width: 'minmax(96px, 1fr)',
        isSecondary: true,
        sort: (row) => flagsOf(row).length,
        cell: (row) => (
          <span className={css.flags}>
            {row.instrument_type !== 'STOCK' && <span className={css.kind}>{row.instrument_type}</span>}
            <FlagTags stock={row} />
            <HeldTag symbol={row.symbol} />
          </span>
        ),
      },
    ],
    [text],
  );
  return (
    <Panel
      title={text.title}
      count={data === undefined ? null : `${rows.length}${hasMore ? '+' : ''}`}
      isFlush
      fault={fault}
      onRetry={retry}
      isLoading={isLoading}
      empty={data !== undefined && rows.length === 0 ? (isNarrowed ? text.empty : text.none) : null}
      actions={
        <div className={css.filters}>
          <Choice
            label={text.market}
            options={MARKETS.map((value) => ({ value, label: value === 'all' ? text.all : value }))}
            at={market}
            onChange={(value) => address.set({ market: value === 'all' ? null : value })}
          />
          <Switch label={text.tradable} isOn={isTradableOnly} onChange={(isOn) => address.set({ tradable: isOn ? '1' : null })} />
          <Input label={text.search} isInline type="search" value={typed} onChange={(event) => setTyped(event.target.value)} />
        </div>
      }
    >
      <DataTable
        label={text.title}
        columns={columns}
        rows={rows}
        keyOf={(row) => row.symbol}
        onOpen={(row) => onChoose(row.symbol)}
        openKey={chosen}
        height="max(240px, calc(100dvh - 172px - var(--tabs-height)))"
        onEnd={end}
        isLoadingMore={isLoadingMore}
      />
    </Panel>
  );
}
