'use client';

import { Suspense, useCallback } from 'react';

import { NAV_TEXT } from '../shell/nav';
import { texts, useText } from '../text/text';
import { Choice } from '../ui/form';
import { Page } from '../ui/layout';
import { useAddress } from '../shell/address';
import { RankingList } from './RankingList';
import { StockList } from './StockList';
import { StockSheet } from './StockSheet';
import css from './stocks.module.css';

const TEXT = texts(
  { view: 'Show', all: 'All stocks', rankings: 'Market rankings' },
  { view: '보기', all: '전체 종목', rankings: '시장 순위' },
);

/** What is listed, how the market ranks it, and one stock in detail: `?symbol=`, `?view=rankings`. */
export function StocksPage() {
  return (
    <Suspense>
      <Stocks />
    </Suspense>
  );
}

function Stocks() {
  const names = useText(NAV_TEXT);
  const text = useText(TEXT);
  const address = useAddress();
  const symbol = address.get('symbol');
  const view = address.get('view') === 'rankings' ? 'rankings' : 'all';
  const choose = useCallback((chosen: string | null) => address.set({ symbol: chosen }, true), [address]);
  return (
    <Page
      title={names.stocks}
      actions={
        <Choice
          label={text.view}
          options={[
            { value: 'all', label: text.all },
            { value: 'rankings', label: text.rankings },
          ]}
          at={view}
          onChange={(value) => address.set({ view: value === 'all' ? null : value })}
        />
      }
    >
      <div className={css.beside} data-open={symbol !== null}>
        <div className={css.list}>
          {view === 'all' ? <StockList chosen={symbol} onChoose={choose} /> : <RankingList chosen={symbol} onChoose={choose} />}
        </div>
        {symbol !== null && <StockSheet key={symbol} symbol={symbol} onClose={() => choose(null)} />}
      </div>
    </Page>
  );
}
