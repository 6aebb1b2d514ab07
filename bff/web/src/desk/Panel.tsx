import { useId, type ReactNode } from 'react';

import type { Fault } from '../feed/api';
import css from './Panel.module.css';

interface FaultNoteProps {
  fault: Fault;
  /** What the fault leaves open. */
  consequence?: string;
  action: { label: string; run: () => void };
}

/** A failed request, with what support needs to find it. */
export function FaultNote({ fault, consequence, action }: FaultNoteProps) {
  return (
    <div role="alert" className={css.fault}>
      <span>
        <b>{fault.code}</b> {fault.message}
        {consequence !== undefined && <>. {consequence}</>}
        {fault.requestId !== null && (
          <span className={css.request}>
            {' '}
            · request <code>{fault.requestId}</code>
          </span>
        )}
      </span>
      <button type="button" className={css.action} onClick={action.run}>
        {action.label}
      </button>
    </div>
  );
}

interface PanelProps {
  title: string;
  /** Null while nothing was loaded. */
  count: number | null;
  fault: Fault | null;
  /** What an empty list means. */
  emptyText: string;
  onRetry: () => void;
  summary?: ReactNode;
  children: ReactNode;
}

/** One list of the desk with its states: loading, failed, empty, filled. */
export function Panel({ title, count, fault, emptyText, onRetry, summary, children }: PanelProps) {
  const id = useId();
  return (
    <section className={css.panel} aria-labelledby={id} aria-busy={count === null && fault === null}>
      <div className={css.head}>
        <h2 id={id} className={css.title}>
          {title}
          {count !== null && <span className={css.count}>{count}</span>}
        </h2>
        {summary}
      </div>
      {fault !== null && <FaultNote fault={fault} action={{ label: 'Retry', run: onRetry }} />}
      {count === null && fault === null && (
        <div className={css.loading}>
          <span className={css.hidden}>Loading {title.toLowerCase()}</span>
          <i />
          <i />
          <i />
        </div>
      )}
      {count === 0 && <p className={css.empty}>{emptyText}</p>}
      {count !== null && count > 0 && children}
    </section>
  );
}
