'use client';

import { Suspense, useCallback, useState } from 'react';

import { NAV_TEXT } from '../shell/nav';
import { StockSearch } from '../shell/StockSearch';
import { useAddress } from '../shell/address';
import { texts, useText } from '../text/text';
import { Tabs } from '../ui/form';
import { Page } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { LIST_TEXT } from './lists';
import { RemoveDialog } from './RemoveDialog';
import { Summary } from './Summary';
import { LISTS, useWatched, type List, type Watched } from './watched';
import { WatchDialog } from './WatchDialog';
import { WatchTable } from './WatchTable';
import css from './watchlist.module.css';

const TEXT = texts(
  {
    lists: 'Lists',
    add: 'Add a stock',
    watch_empty: 'Nobody watches a stock. Search one above to follow its price, with a target and an alarm if you like.',
    candidate_empty: 'No stock is a candidate for a purchase. Search one above and say why it is one.',
  },
  {
    lists: '목록',
    add: '종목 추가',
    watch_empty: '관심종목이 없습니다. 위에서 종목을 검색해 시세를 추적하고 목표가와 알림을 설정하세요.',
    candidate_empty: '매수 후보가 없습니다. 위에서 종목을 검색해 사유와 함께 추가하세요.',
  },
);

/** Symbols that somebody follows, and prices they wait for. */
export function WatchlistPage() {
  return (
    <Suspense>
      <Lists />
    </Suspense>
  );
}

function Lists() {
  const names = useText(NAV_TEXT);
  const text = useText(TEXT);
  const lists = useText(LIST_TEXT);
  const address = useAddress();
  const at: List = address.get('list') === 'candidate' ? 'candidate' : 'watch';
  const read = { watch: useWatched('watch'), candidate: useWatched('candidate') };
  const [added, setAdded] = useState<{ symbol: string; name: string } | null>(null);
  const [edited, setEdited] = useState<string | null>(null);
  const [removed, setRemoved] = useState<Watched | null>(null);
  const { data, fault, isLoading, retry } = read[at];
  const rows = data ?? [];
  const row = rows.find(({ symbol }) => symbol === edited);
  const edit = useCallback((one: Watched) => setEdited(one.symbol), []);
  const tabs = LISTS.map((id) => ({ id, title: `${lists[id]} ${read[id].data?.length ?? ''}`.trim() }));
  return (
    <Page
      title={names.watchlist}
      actions={
        <div className={css.add} role="group" aria-label={text.add} data-testid="watch-add">
          <span aria-hidden="true">{text.add}</span>
          <StockSearch onChoose={setAdded} />
        </div>
      }
    >
      <Tabs label={text.lists} tabs={tabs} at={at} onChange={(list) => address.set({ list: list === 'watch' ? null : list })}>
        <Summary rows={data} />
        <Panel
          title={lists[at]}
          count={data?.length ?? null}
          isFlush
          fault={fault}
          onRetry={retry}
          isLoading={isLoading}
          empty={data?.length === 0 ? text[`${at}_empty`] : null}
        >
          <WatchTable key={at} label={lists[at]} list={at} rows={rows} onEdit={edit} onRemove={setRemoved} />
        </Panel>
      </Tabs>
      {added !== null && <WatchDialog stock={added} list={at} onClose={() => setAdded(null)} />}
      {row !== undefined && (
        <WatchDialog
          stock={{ symbol: row.symbol, name: row.name ?? row.symbol }}
          list={at}
          row={row}
          onClose={() => setEdited(null)}
          onRemove={() => {
            setEdited(null);
            setRemoved(row);
          }}
        />
      )}
      {removed !== null && <RemoveDialog row={removed} onClose={() => setRemoved(null)} />}
    </Page>
  );
}
