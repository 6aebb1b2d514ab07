import type { ReactNode } from 'react';

import css from './layout.module.css';

/** A page: a title, what belongs beside it, and its parts below. */
export function Page({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  return (
    <div className={css.page}>
      <div className={css.head}>
        <h1>{title}</h1>
        {actions !== undefined && <div className={css.actions}>{actions}</div>}
      </div>
      {children}
    </div>
  );
}

/** Parts side by side where there is room. `columns` is a grid template for wide screens. */
export function Split({ columns, children }: { columns: string; children: ReactNode }) {
  return (
    <div className={css.split} style={{ '--columns': columns } as never}>
      {children}
    </div>
  );
}

/** Figures in a row, each under its name. */
export function Stats({ children }: { children: ReactNode }) {
  return <dl className={css.stats}>{children}</dl>;
}

export function Stat({ name, children, note, testId }: { name: string; children: ReactNode; note?: ReactNode; testId?: string }) {
  return (
    <div className={css.stat}>
      <dt>{name}</dt>
      <dd data-testid={testId}>{children}</dd>
      {note !== undefined && <dd className={css.note}>{note}</dd>}
    </div>
  );
}

/** Names and what they are, one below the other. */
export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className={css.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** How much of something is used, 0 to 1 and beyond. */
export function Meter({ label, value, warnAt = 0.8 }: { label: string; value: number | null | undefined; warnAt?: number }) {
  const part = Math.max(0, Math.min(1, value ?? 0));
  const tone = value == null ? css.unknown : value >= 1 ? css.bad : value >= warnAt ? css.warn : css.good;
  return (
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={1}
      aria-valuenow={part}
      className={css.meter}
    >
      <span className={tone} style={{ width: `${part * 100}%` }} />
    </div>
  );
}
