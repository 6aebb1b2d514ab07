'use client';

import { Toast } from 'radix-ui';
import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from 'react';

import type { Fault } from '../api/request';
import { texts, useText } from '../text/text';
import css from './notices.module.css';

const TEXT = texts(
  { unsure: 'It may have been carried out all the same. Look before you try again.', close: 'Dismiss', label: 'Notice' },
  { unsure: '처리되었을 수도 있습니다. 다시 시도하기 전에 확인하세요.', close: '닫기', label: '알림' },
);

interface Notice {
  id: number;
  text: string;
  isFault: boolean;
  detail: string | null;
}

export interface Notices {
  /** Says that something went well. */
  say: (text: string) => void;
  /** Says that something failed; `isRefusal` false: it is not known whether it was done. */
  fault: (fault: Fault, isRefusal: boolean) => void;
}

const Context = createContext<Notices | null>(null);

export function useNotices(): Notices {
  const notices = useContext(Context);
  if (notices === null) throw new Error('useNotices is for what stands below NoticeProvider');
  return notices;
}

/** Shows notices above the page; faults stay until they are dismissed. */
export function NoticeProvider({ children }: { children: ReactNode }) {
  const text = useText(TEXT);
  const [shown, setShown] = useState<Notice[]>([]);
  const last = useRef(0);
  const unsure = text.unsure;
  const add = useCallback((notice: Omit<Notice, 'id'>) => {
    last.current += 1;
    const id = last.current;
    setShown((before) => [...before.slice(-3), { id, ...notice }]);
  }, []);
  const notices = useMemo<Notices>(
    () => ({
      say: (said) => add({ text: said, isFault: false, detail: null }),
      fault: (fault, isRefusal) =>
        add({
          text: fault.message,
          isFault: true,
          detail: [fault.code, fault.requestId, isRefusal ? null : unsure].filter(Boolean).join(' · '),
        }),
    }),
    [add, unsure],
  );
  return (
    <Context.Provider value={notices}>
      <Toast.Provider duration={4_000} label={text.label}>
        {children}
        {shown.map((notice) => (
          <Toast.Root
            key={notice.id}
            className={notice.isFault ? css.fault : css.notice}
            type={notice.isFault ? 'foreground' : 'background'}
            duration={notice.isFault ? Infinity : 4_000}
            onOpenChange={(isOpen) => {
              if (!isOpen) setShown((before) => before.filter(({ id }) => id !== notice.id));
            }}
          >
            <Toast.Title className={css.title}>{notice.text}</Toast.Title>
            {notice.detail !== null && <Toast.Description className={css.detail}>{notice.detail}</Toast.Description>}
            <Toast.Close className={css.close} aria-label={text.close}>
              ×
            </Toast.Close>
          </Toast.Root>
        ))}
        <Toast.Viewport className={css.viewport} />
      </Toast.Provider>
    </Context.Provider>
  );
}
