'use client';

import { z } from 'zod';

import { zBestPrice } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Count, Time } from '../ui/figures';
import { Split, Stat, Stats } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { Ages } from './Ages';
import { useFigures } from './metrics';
import { BestPrices } from './BestPrices';
import { formatAge, sourcesOf, type SourceId } from './sources';
import css from './system.module.css';

const TEXT = texts(
  {
    sources: 'Sources',
    source: 'Source',
    symbols: 'Symbols',
    fresh: 'Fresh',
    stale: 'Stale',
    median: 'Median age',
    oldest: 'Oldest',
    ticks: 'Ticks',
    KIS_WS: 'Broker stream',
    KIS_REST: 'Broker calls',
    NAVER: 'Naver',
    noteSymbols: 'followed by the engine',
    noteStale: 'older than their source may be',
    newest: 'Newest',
    empty: 'There is no best price yet. They appear as soon as the engine follows a symbol: a position, an order, a stock of the watchlist.',
  },
  {
    sources: '시세 출처',
    source: '출처',
    symbols: '종목',
    fresh: '최신',
    stale: '지연',
    median: '중앙값',
    oldest: '최장',
    ticks: '틱',
    KIS_WS: '증권사 스트림',
    KIS_REST: '증권사 조회',
    NAVER: '네이버',
    noteSymbols: '엔진이 추적 중',
    noteStale: '출처별 허용 시간을 초과',
    newest: '최신 수신',
    empty: '아직 대표 시세가 없습니다. 포지션·주문·관심종목이 생기면 표시됩니다.',
  },
);

/** How often ages are looked at. */
const EVERY_MS = 2_000;

/** Where prices come from, how old they are, and which are stale and why. */
export function Sources() {
  const text = useText(TEXT);
  const prices = useRead('/api/v1/best-prices', z.array(zBestPrice), { everyMs: EVERY_MS });
  const { figures } = useFigures();
  const rows = prices.data ?? [];
  const sources = sourcesOf(rows);
  const stale = rows.filter(({ is_stale }) => is_stale).length;
  const ages = rows.map(({ age_ms }) => age_ms).sort((a, b) => a - b);
  const newest = rows.reduce<string | null>((latest, { received_ts }) => (latest === null || received_ts > latest ? received_ts : latest), null);
  const ticks = (source: SourceId) => figures.of('price_sync_ticks_total', { source });
  const empty = prices.data !== undefined && rows.length === 0 ? text.empty : null;
  return (
    <>
      <Stats>
        <Stat name={text.symbols} note={text.noteSymbols} testId="price-symbols">
          <Count value={rows.length} />
        </Stat>
        <Stat name={text.stale} note={text.noteStale} testId="price-stale">
          <Count value={stale} />
        </Stat>
        <Stat name={text.median}>{formatAge(ages[Math.floor((ages.length - 1) / 2)])}</Stat>
        <Stat name={text.oldest}>{formatAge(ages.at(-1))}</Stat>
        <Stat name={text.newest}>
          <Time at={newest} />
        </Stat>
      </Stats>
      <Split columns="minmax(0, 3fr) minmax(0, 2fr)">
        <Panel title={text.sources} fault={prices.fault} onRetry={prices.retry} isLoading={prices.isLoading} empty={empty}>
          <div className={css.scrolled}>
            <table className={css.table} data-testid="sources" data-live="">
              <thead>
                <tr>
                  <th scope="col">{text.source}</th>
                  <th scope="col">{text.fresh}</th>
                  <th scope="col">{text.stale}</th>
                  <th scope="col">{text.median}</th>
                  <th scope="col">{text.oldest}</th>
                  <th scope="col">{text.ticks}</th>
                </tr>
              </thead>
              <tbody>
                {sources.map((source) => (
                  <tr key={source.id} data-source={source.id}>
                    <th scope="row">
                      {text[source.id]} <span className={css.dim}>{source.id}</span>
                      {source.reasons.length > 0 && (
                        <span className={css.reasons}>{source.reasons.map(([reason, count]) => `${reason.replaceAll('_', ' ')} ×${count}`).join(' · ')}</span>
                      )}
                    </th>
                    <td>
                      <Count value={source.fresh} />
                    </td>
                    <td className={source.stale > 0 ? css.waits : undefined}>
                      <Count value={source.stale} />
                    </td>
                    <td>{formatAge(source.medianMs)}</td>
                    <td>{formatAge(source.oldestMs)}</td>
                    <td>
                      <Count value={ticks(source.id)} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </Panel>
        <Ages prices={rows} isLoading={prices.isLoading} empty={empty} />
      </Split>
      <BestPrices prices={rows} isLoading={prices.isLoading} empty={empty} />
    </>
  );
}
