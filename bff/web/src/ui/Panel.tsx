import { useId, type ReactNode } from 'react';

import type { Fault } from '../api/request';
import { texts, useText } from '../text/text';
import { Button } from './Button';
import css from './Panel.module.css';

const TEXT = texts(
  { retry: 'Try again', loading: (title: string) => `Loading ${title}`, request: 'request' },
  { retry: '다시 시도', loading: (title: string) => `${title} 불러오는 중`, request: '요청' },
);

/** A failed request, with what support needs to find it. */
export function FaultNote({ fault, onRetry }: { fault: Fault; onRetry?: () => void }) {
  const text = useText(TEXT);
  return (
    <div role="alert" className={css.fault}>
      <span>
        <b>{fault.code}</b> {fault.message}
        {fault.requestId !== null && (
          <span className={css.request}>
            {' '}
            · {text.request} <code>{fault.requestId}</code>
          </span>
        )}
      </span>
      {onRetry !== undefined && (
        <Button size="small" onClick={onRetry}>
          {text.retry}
        </Button>
      )}
    </div>
  );
}

interface PanelProps {
  title: string;
  count?: number | string | null;
  /** Beside the title: figures, buttons. */
  actions?: ReactNode;
  fault?: Fault | null;
  onRetry?: () => void;
  isLoading?: boolean;
  /** Said instead of the content where there is none. */
  empty?: string | null;
  /** Content to the edge, for tables and charts. */
  isFlush?: boolean;
  className?: string;
  children?: ReactNode;
}

/** A part of a page with its states: loading, failed, empty, filled. */
export function Panel({ title, count = null, actions, fault = null, onRetry, isLoading = false, empty = null, isFlush = false, className, children }: PanelProps) {
  const id = useId();
  const text = useText(TEXT);
  return (
    <section className={[css.panel, className].filter(Boolean).join(' ')} aria-labelledby={id} aria-busy={isLoading}>
      <div className={css.head}>
        <h2 id={id} className={css.title}>
          {title}
          {count !== null && <span className={css.count}>{count}</span>}
        </h2>
        {actions !== undefined && <div className={css.actions}>{actions}</div>}
      </div>
      {fault !== null && <FaultNote fault={fault} {...(onRetry === undefined ? {} : { onRetry })} />}
      {isLoading && (
        <div className={css.loading}>
          <span className="visually-hidden">{text.loading(title)}</span>
          <i />
          <i />
          <i />
        </div>
      )}
      {!isLoading && empty !== null && <p className={css.empty}>{empty}</p>}
      {!isLoading && empty === null && <div className={isFlush ? css.flush : css.body}>{children}</div>}
    </section>
  );
}
