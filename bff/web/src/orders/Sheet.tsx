import { useEffect, useId, useRef, type KeyboardEvent, type ReactNode } from 'react';

import { texts, useText } from '../text/text';
import css from './Sheet.module.css';

const TEXT = texts({ close: 'Close' }, { close: '닫기' });

/** A list and, once something of it is open, its sheet beside it; on a narrow screen the sheet covers the list. */
export function Beside({ list, sheet }: { list: ReactNode; sheet: ReactNode | null }) {
  return (
    <div className={css.beside} data-open={sheet !== null}>
      <div className={css.list}>{list}</div>
      {sheet}
    </div>
  );
}

interface SheetProps {
  /** Changes with what is shown: the focus goes to the sheet then. */
  id: string;
  title: ReactNode;
  /** Below the title. */
  about?: ReactNode;
  onClose: () => void;
  children: ReactNode;
  testId?: string;
}

/** Everything about one row of a list. Escape closes it and leads back to the row. */
export function Sheet({ id, title, about, onClose, children, testId }: SheetProps) {
  const text = useText(TEXT);
  const titleId = useId();
  const sheet = useRef<HTMLElement>(null);
  useEffect(() => {
    sheet.current?.focus({ preventScroll: true });
    if (sheet.current !== null) sheet.current.scrollTop = 0;
    return () => document.querySelector<HTMLElement>(`[role=row][data-key="${CSS.escape(id)}"]`)?.focus({ preventScroll: true });
  }, [id]);
  const press = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    // A dialog that was opened from the sheet is below it for React, yet closes by itself.
    if (!sheet.current?.contains(event.target as Node)) return;
    onClose();
  };
  return (
    <section ref={sheet} className={css.sheet} aria-labelledby={titleId} tabIndex={-1} onKeyDown={press} data-testid={testId}>
      <div className={css.head}>
        <div className={css.name}>
          <h2 id={titleId} className={css.title}>
            {title}
          </h2>
          {about !== undefined && <div className={css.about}>{about}</div>}
        </div>
        <button type="button" className={css.close} aria-label={text.close} onClick={onClose}>
          ×
        </button>
      </div>
      {children}
    </section>
  );
}

/** A part of a sheet, under its own heading where it has one. */
export function Part({ title, note, children }: { title?: string; note?: ReactNode; children: ReactNode }) {
  return (
    <div className={css.part}>
      {title !== undefined && (
        <h3 className={css.heading}>
          {title}
          {note !== undefined && <span className={css.note}>{note}</span>}
        </h3>
      )}
      {children}
    </div>
  );
}
