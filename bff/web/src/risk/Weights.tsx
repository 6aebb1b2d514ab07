'use client';

import { texts, useText } from '../text/text';
import { Panel } from '../ui/Panel';
import { NameOf } from './NameOf';
import { Share } from './Share';
import { UsageBar } from './UsageBar';
import { weightsOf } from './risk';
import css from './risk.module.css';

const TEXT = texts(
  { limit: 'limit', empty: 'Nothing is held: no weight.', loading: 'Waiting for the first report.' },
  { limit: '한도', empty: '보유 종목이 없어 비중이 없습니다.', loading: '첫 보고서를 기다리는 중입니다.' },
);

interface WeightsProps {
  title: string;
  /** Percent of the equity by name; undefined while there is no report. */
  weights: Readonly<Record<string, unknown>> | undefined;
  /** Percent of the equity that none may pass. */
  limit: number | null;
}

/** Weights of sectors or markets, the heaviest first, each beside the limit of all. */
export function Weights({ title, weights, limit }: WeightsProps) {
  const text = useText(TEXT);
  const rows = weights === undefined ? [] : weightsOf(weights);
  // The bars are as long as the limit, or as the heaviest where that is beyond it.
  const heaviest = Math.max(0, ...rows.map(({ weight }) => weight ?? 0));
  const bound = limit === null || limit >= 100 ? null : limit;
  const full = Math.max(heaviest, bound === null ? 100 : bound * 1.1);
  return (
    <Panel
      title={title}
      count={rows.length}
      empty={weights === undefined ? text.loading : rows.length === 0 ? text.empty : null}
      actions={
        limit !== null && (
          <span className={css.at}>
            {text.limit} <Share value={limit} />
          </span>
        )
      }
    >
      <ul className={css.weights}>
        {rows.map(({ name, weight }) => (
          <li key={name}>
            <span className={css.name}>
              <NameOf name={name} />
            </span>
            {bound === null ? (
              <span className={css.bar} aria-hidden="true">
                <span className={css.fill} style={{ width: `${((weight ?? 0) / full) * 100}%` }} />
              </span>
            ) : (
              <UsageBar label={name} usage={weight === null ? null : (weight / bound) * 100} limitAt={(bound / full) * 100} />
            )}
            <span className={css.used}>
              <Share value={weight} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
