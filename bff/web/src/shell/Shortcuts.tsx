'use client';

import { useRouter } from 'next/navigation';
import { useEffect, useState } from 'react';

import { texts, useText } from '../text/text';
import { Dialog } from '../ui/Dialog';
import { NAV_TEXT, PAGES } from './nav';
import css from './Shortcuts.module.css';

const TEXT = texts(
  {
    title: 'Keys',
    search: 'Search a stock',
    pause: 'Change the mode of exits',
    help: 'These keys',
    go: (page: string) => `Go to ${page}`,
    rows: 'In a table: next row, row before, open',
    sell: 'On a position: sell by hand',
    buy: 'On the orders: buy by hand',
  },
  {
    title: '단축키',
    search: '종목 검색',
    pause: '청산 모드 변경',
    help: '단축키 보기',
    go: (page: string) => `${page}(으)로 이동`,
    rows: '표에서: 다음 행, 이전 행, 열기',
    sell: '포지션에서: 수동 매도',
    buy: '주문에서: 수동 매수',
  },
);

/** How long `g` waits for the letter after it. */
const SECOND_KEY_MS = 1_200;

/** Events by which keys reach the parts that act on them. */
export const SEARCH_EVENT = 'turnstile:search';
export const MODE_EVENT = 'turnstile:mode';

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select, [contenteditable]') !== null;
}

/** Keys of the app: `/` searches, `p` changes the mode of exits, `g` and a letter goes to a page. */
export function Shortcuts() {
  const router = useRouter();
  const text = useText(TEXT);
  const pages = useText(NAV_TEXT);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    let goneMs = -Infinity;
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('[role=dialog]') !== null) return;
      const isSecond = Date.now() - goneMs < SECOND_KEY_MS;
      const page = isSecond ? PAGES.find(({ key }) => key === event.key) : undefined;
      goneMs = -Infinity;
      if (page !== undefined) router.push(page.href);
      else if (event.key === 'g') goneMs = Date.now();
      else if (event.key === '/') window.dispatchEvent(new Event(SEARCH_EVENT));
      else if (event.key === 'p') window.dispatchEvent(new Event(MODE_EVENT));
      else if (event.key === '?') setOpen(true);
      else return;
      if (event.key !== 'g') event.preventDefault();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [router]);
  const keys: readonly (readonly [string, string])[] = [
    ['/', text.search],
    ['p', text.pause],
    ...PAGES.map(({ id, key }) => [`g ${key}`, text.go(pages[id])] as const),
    ['s', text.sell],
    ['b', text.buy],
    ['↓ ↑ ↵', text.rows],
    ['?', text.help],
  ];
  return (
    <Dialog title={text.title} isOpen={isOpen} onClose={() => setOpen(false)}>
      <dl className={css.keys}>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
