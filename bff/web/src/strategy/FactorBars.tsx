'use client';

import { texts, useText } from '../text/text';
import { FACTOR_TEXT, FACTORS, formatScore } from './names';
import type { FactorValues } from './Radar';
import css from './FactorBars.module.css';

const TEXT = texts({ missing: 'missing' }, { missing: '없음' });

/** Each factor as a bar from its neutral middle: to the right it speaks for the symbol, to the left against it. */
export function FactorBars({ factors }: { factors: FactorValues }) {
  const text = useText(TEXT);
  const names = useText(FACTOR_TEXT);
  return (
    <dl className={css.bars}>
      {FACTORS.map((factor) => {
        const value = factors[factor] ?? null;
        const part = Math.min(1, Math.abs(value ?? 0)) * 50;
        return (
          <div key={factor} className={css.bar}>
            <dt>{names[factor]}</dt>
            <dd className={css.track} aria-hidden="true">
              <i data-sign={value !== null && value < 0 ? 'against' : 'for'} style={{ width: `${part}%`, left: `${value !== null && value < 0 ? 50 - part : 50}%` }} />
            </dd>
            <dd className={css.value} data-testid={`factor-${factor}`}>
              {value === null ? text.missing : `${value > 0 ? '+' : ''}${formatScore(value, 2)}`}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

/** The same, as small as a cell: one column a factor. */
export function FactorSpark({ factors }: { factors: FactorValues }) {
  const names = useText(FACTOR_TEXT);
  const said = FACTORS.map((factor) => `${names[factor]} ${formatScore(factors[factor], 2)}`).join(', ');
  return (
    <span className={css.spark} role="img" aria-label={said} title={said}>
      {FACTORS.map((factor) => {
        const value = factors[factor] ?? null;
        const part = Math.min(1, Math.abs(value ?? 0)) * 50;
        const isAgainst = value !== null && value < 0;
        return (
          <span key={factor} data-missing={value === null}>
            <i data-sign={isAgainst ? 'against' : 'for'} style={{ height: `${part}%`, bottom: `${isAgainst ? 50 - part : 50}%` }} />
          </span>
        );
      })}
    </span>
  );
}
