'use client';

import type { z } from 'zod';

import { zComparison, zWeighed } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Ratio, Stock } from '../ui/figures';
import { Stat, Stats } from '../ui/layout';
import { FaultNote } from '../ui/Panel';
import { STRATEGY_TABLES } from './names';
import css from './Difference.module.css';

const TEXT = texts(
  {
    turnover: 'Turnover',
    added: 'Added',
    removed: 'Removed',
    changed: 'Weight changed',
    unchanged: 'Unchanged',
    none: 'Both hold the same names at the same weights.',
    loading: 'Comparing',
    weights: 'Names by what becomes of them, with the weight before and after',
  },
  {
    turnover: '회전율',
    added: '편입',
    removed: '편출',
    changed: '비중 변경',
    unchanged: '유지',
    none: '두 포트폴리오의 종목과 비중이 같습니다.',
    loading: '비교 중',
    weights: '변화별 종목과 이전·이후 비중',
  },
);

type Weighed = z.infer<typeof zWeighed>;

function Group({ title, kind, rows }: { title: string; kind: string; rows: readonly Weighed[] }) {
  if (rows.length === 0) return null;
  return (
    <section className={css.group} data-kind={kind} aria-label={title}>
      <h3>
        {title} <span>{rows.length}</span>
      </h3>
      <ul>
        {rows.map((row) => (
          <li key={row.symbol}>
            <Stock name={row.name ?? null} symbol={row.symbol} />
            <span className={css.weights}>
              {row.from_weight !== 0 && <Ratio value={row.from_weight} />}
              {row.from_weight !== row.to_weight && (
                <>
                  {' → '}
                  <b>
                    <Ratio value={row.to_weight} />
                  </b>
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What is different from one portfolio to another: added, removed, changed weights, and how much of equity moves. */
export function Difference({ fromId, toId }: { fromId: string; toId: string }) {
  const text = useText(TEXT);
  const { data, fault, isLoading, retry } = useRead(`/api/v1/portfolios/compare?from_id=${fromId}&to_id=${toId}`, zComparison, { tables: STRATEGY_TABLES });
  if (fault !== null && data === undefined) return <FaultNote fault={fault} onRetry={retry} />;
  if (isLoading || data === undefined) return <p className={css.none}>{text.loading}…</p>;
  const isSame = data.added.length + data.removed.length + data.weight_changed.length === 0;
  return (
    <div className={css.difference} data-testid="difference">
      <Stats>
        <Stat name={text.turnover} testId="turnover">
          <Ratio value={data.turnover} />
        </Stat>
        <Stat name={text.added} testId="added">
          {data.added.length}
        </Stat>
        <Stat name={text.removed} testId="removed">
          {data.removed.length}
        </Stat>
        <Stat name={text.changed}>{data.weight_changed.length}</Stat>
        <Stat name={text.unchanged}>{data.unchanged.length}</Stat>
      </Stats>
      {isSame && <p className={css.none}>{text.none}</p>}
      <div className={css.groups} role="region" aria-label={text.weights} tabIndex={0}>
        <Group title={text.added} kind="added" rows={data.added} />
        <Group title={text.removed} kind="removed" rows={data.removed} />
        <Group title={text.changed} kind="changed" rows={data.weight_changed} />
        <Group title={text.unchanged} kind="unchanged" rows={data.unchanged} />
      </div>
    </div>
  );
}
