'use client';

import { texts, useText } from '../text/text';
import { Panel } from '../ui/Panel';
import { agesOf, formatAge, type AgeClass, type BestPrice } from './sources';
import css from './system.module.css';

const TEXT = texts(
  {
    title: 'Age of best prices',
    below: (age: string) => `below ${age}`,
    above: (age: string) => `${age} or more`,
    said: (fresh: number, stale: number) => `${fresh} fresh, ${stale} stale`,
    fresh: 'fresh',
    stale: 'stale',
  },
  {
    title: '대표 시세 경과 시간',
    below: (age: string) => `${age} 미만`,
    above: (age: string) => `${age} 이상`,
    said: (fresh: number, stale: number) => `최신 ${fresh}, 지연 ${stale}`,
    fresh: '최신',
    stale: '지연',
  },
);

/** How many best prices are of which age, fresh and stale ones apart. */
export function Ages({ prices, isLoading, empty }: { prices: readonly BestPrice[]; isLoading: boolean; empty: string | null }) {
  const text = useText(TEXT);
  const classes = agesOf(prices);
  const most = Math.max(1, ...classes.map(({ fresh, stale }) => fresh + stale));
  const bound = (ms: number | null | undefined) => formatAge(ms).replace('.0 ', ' ');
  const name = ({ belowMs }: AgeClass, index: number) => (belowMs === null ? text.above(bound(classes[index - 1]?.belowMs)) : text.below(bound(belowMs)));
  return (
    <Panel
      title={text.title}
      isLoading={isLoading}
      empty={empty}
      actions={
        <span className={css.legend}>
          <i data-tone="good" /> {text.fresh} <i data-tone="warn" /> {text.stale}
        </span>
      }
    >
      <ul className={css.ages} data-testid="ages" data-live="">
        {classes.map((row, index) => (
          <li key={row.belowMs ?? 'above'}>
            <span>{name(row, index)}</span>
            <span className={css.stack} role="img" aria-label={text.said(row.fresh, row.stale)}>
              <span data-tone="good" style={{ width: `${(row.fresh / most) * 100}%` }} />
              <span data-tone="warn" style={{ width: `${(row.stale / most) * 100}%` }} />
            </span>
            <span className={css.right}>{row.fresh + row.stale}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
