'use client';

import { Bookmark, ShoppingCart, X } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';

import { zStock } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { CandleChart } from '../chart/CandleChart';
import { usePrice } from '../live/provider';
import { UNKNOWN } from '../money/format';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { Count, Price, ShortWon, Time } from '../ui/figures';
import { Choice } from '../ui/form';
import { Facts } from '../ui/layout';
import { FaultNote } from '../ui/Panel';
import { LIST_TEXT } from '../watchlist/lists';
import { LISTS, useWatched } from '../watchlist/watched';
import { WatchDialog } from '../watchlist/WatchDialog';
import { FlagNotes } from './Flags';
import { LiveChange, LivePrice } from './live';
import { Guard, Held, Section } from './Sections';
import { STOCK_TABLES, type Stock } from './stock';
import css from './stocks.module.css';

const TEXT = texts(
  {
    close: 'Close',
    loading: 'Loading',
    buy: 'Buy',
    watch: 'Watch',
    watched: (list: string) => `On “${list}”`,
    chart: 'Chart',
    interval: 'Bars',
    day: 'Days',
    minute: 'Minutes',
    facts: 'Issue',
    bid: 'Bid',
    ask: 'Ask',
    cap: 'Market cap',
    shares: 'Listed shares',
    market: 'Market',
    sector: 'Sector',
    industry: 'Industry',
    kind: 'Type',
    listed: 'Listed on',
    delisted: 'Delisted on',
    nxt: 'Traded on NXT',
    yes: 'Yes',
    no: 'No',
    checked: 'Broker asked',
    changed: 'Changed',
    volume: 'Volume',
    unknown: (symbol: string) => `${symbol} is no stock that is known here.`,
  },
  {
    close: '닫기',
    loading: '불러오는 중',
    buy: '매수',
    watch: '관심 추가',
    watched: (list: string) => `“${list}” 목록에 있음`,
    chart: '차트',
    interval: '봉',
    day: '일봉',
    minute: '분봉',
    facts: '종목 정보',
    bid: '매수호가',
    ask: '매도호가',
    cap: '시가총액',
    shares: '상장주식수',
    market: '시장',
    sector: '업종',
    industry: '산업',
    kind: '구분',
    listed: '상장일',
    delisted: '상장폐지일',
    nxt: 'NXT 거래',
    yes: '가능',
    no: '불가',
    checked: '증권사 확인',
    changed: '변경',
    volume: '거래량',
    unknown: (symbol: string) => `${symbol}: 등록되지 않은 종목입니다.`,
  },
);

/** Flags are in no feed: how often they are asked for. */
const EVERY_MS = 10_000;

/** One stock beside the list: its price, state, chart, and what may be done with it. */
export function StockSheet({ symbol, onClose }: { symbol: string; onClose: () => void }) {
  const text = useText(TEXT);
  const { data: stock, fault, isLoading, retry } = useRead(`/api/v1/stocks/${encodeURIComponent(symbol)}`, zStock, {
    tables: STOCK_TABLES,
    everyMs: EVERY_MS,
  });
  const isUnknown = fault?.code === 'NOT_FOUND' && stock === undefined;
  return (
    <aside className={css.sheet} aria-label={stock?.name ?? symbol} data-testid="stock-sheet" aria-busy={isLoading}>
      <div className={css.top}>
        <div className={css.name}>
          <h2 lang="ko">{stock?.name ?? symbol}</h2>
          <code className={css.muted}>{symbol}</code>
          {stock !== undefined && <span className={css.muted}>{stock.segment ?? stock.market}</span>}
        </div>
        <Button kind="quiet" className={css.close} aria-label={text.close} onClick={onClose}>
          <X size={16} aria-hidden="true" />
        </Button>
      </div>
      {fault !== null && !isUnknown && <FaultNote fault={fault} onRetry={retry} />}
      {isUnknown && <p className={css.section}>{text.unknown(symbol)}</p>}
      {isLoading && <p className={css.section}>{text.loading}…</p>}
      {stock !== undefined && <Known stock={stock} />}
    </aside>
  );
}

function Known({ stock }: { stock: Stock }) {
  const text = useText(TEXT);
  const lists = useText(LIST_TEXT);
  const router = useRouter();
  const { symbol } = stock;
  const live = usePrice(symbol);
  const [interval, setInterval] = useState<'day' | 'minute'>('day');
  const [isAdding, setAdding] = useState(false);
  const read = { watch: useWatched('watch'), candidate: useWatched('candidate') };
  const on = LISTS.filter((list) => read[list].data?.some((row) => row.symbol === symbol));
  const free = LISTS.find((list) => !on.includes(list));
  const nxt = stock.is_nxt_tradable == null ? UNKNOWN : stock.is_nxt_tradable ? text.yes : text.no;
  return (
    <>
      <div className={css.quote}>
        <span className={css.now} data-testid="stock-price">
          <LivePrice symbol={symbol} last={stock} />
        </span>
        <LiveChange symbol={symbol} last={stock} hasArrow />
        <span className={css.side} data-live>
          {text.bid} <Price value={live?.bid} /> · {text.ask} <Price value={live?.ask} />
          {live?.volume != null && (
            <>
              {' '}
              · {text.volume} <Count value={live.volume} />
            </>
          )}{' '}
          · <Time at={live?.ts ?? stock.price_ts} />
        </span>
      </div>
      <div className={css.actions}>
        <Button kind="primary" needs="TRADER" disabled={!stock.is_tradable || stock.status !== 'ACTIVE'} onClick={() => router.push(`/orders/?buy=${symbol}`)}>
          <ShoppingCart size={14} aria-hidden="true" /> {text.buy}
        </Button>
        {free !== undefined && (
          <Button needs="TRADER" onClick={() => setAdding(true)}>
            <Bookmark size={14} aria-hidden="true" /> {text.watch}
          </Button>
        )}
        {on.map((list) => (
          <Button key={list} kind="quiet" onClick={() => router.push(list === 'watch' ? '/watchlist/' : '/watchlist/?list=candidate')}>
            {text.watched(lists[list])}
          </Button>
        ))}
      </div>
      <FlagNotes stock={stock} />
      <Section
        title={text.chart}
        actions={
          <Choice
            label={text.interval}
            options={[
              { value: 'day', label: text.day },
              { value: 'minute', label: text.minute },
            ]}
            at={interval}
            onChange={setInterval}
          />
        }
      >
        <CandleChart symbol={symbol} interval={interval} height={260} />
      </Section>
      <Held symbol={symbol} />
      <Guard symbol={symbol} />
      <Section title={text.facts}>
        <Facts
          facts={[
            [text.market, stock.segment ?? stock.market],
            [text.kind, stock.instrument_type],
            [text.cap, <ShortWon key="cap" value={stock.market_cap} />],
            [text.shares, <Count key="shares" value={stock.listed_shares} />],
            [text.sector, <span key="sector" lang="ko">{stock.sector ?? UNKNOWN}</span>],
            [text.industry, <span key="industry" lang="ko">{stock.industry ?? UNKNOWN}</span>],
            [text.listed, stock.listing_date ?? UNKNOWN],
            ...(stock.delisting_date == null ? [] : ([[text.delisted, stock.delisting_date]] as const)),
            [text.nxt, nxt],
            [text.checked, <Time key="checked" at={stock.checked_ts} />],
            [text.changed, <Time key="changed" at={stock.updated_ts} />],
          ]}
        />
      </Section>
      {isAdding && free !== undefined && (
        <WatchDialog stock={{ symbol, name: stock.name }} list={free} onClose={() => setAdding(false)} />
      )}
    </>
  );
}
