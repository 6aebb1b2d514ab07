'use client';

import { Search } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useEffect, useId, useRef, useState, type KeyboardEvent } from 'react';
import { z } from 'zod';

import { zStock } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Percent, Price } from '../ui/figures';
import { SEARCH_EVENT } from './Shortcuts';
import css from './StockSearch.module.css';

const TEXT = texts(
  { label: 'Search a stock by name or code', placeholder: 'Stock or code', none: 'No stock has it in name or code.', key: '/' },
  { label: '종목명 또는 코드로 검색', placeholder: '종목명·코드', none: '이름이나 코드에 해당하는 종목이 없습니다.', key: '/' },
);

/** How long somebody types before the server is asked. */
const LINGER_MS = 150;

interface StockSearchProps {
  /** What choosing a stock does; without it its page is opened. */
  onChoose?: (stock: { symbol: string; name: string }) => void;
}

/** Finds a stock by a part of its name or code. */
export function StockSearch({ onChoose }: StockSearchProps) {
  const text = useText(TEXT);
  const router = useRouter();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  const [asked, setAsked] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(typed.trim()), LINGER_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const isMain = onChoose === undefined;
  useEffect(() => {
    if (!isMain) return;
    const focus = () => input.current?.focus();
    window.addEventListener(SEARCH_EVENT, focus);
    return () => window.removeEventListener(SEARCH_EVENT, focus);
  }, [isMain]);
  const path = asked === '' ? null : `/api/v1/stocks/search?limit=8&q=${encodeURIComponent(asked)}`;
  const { data } = useRead(path, z.array(zStock));
  const found = asked === '' ? [] : (data ?? []);

  const choose = (index: number) => {
    const stock = found[index];
    if (stock === undefined) return;
    setOpen(false);
    setTyped('');
    input.current?.blur();
    if (onChoose === undefined) router.push(`/stocks/?symbol=${stock.symbol}`);
    else onChoose({ symbol: stock.symbol, name: stock.name });
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt((before) => Math.min(before + 1, found.length - 1));
    else if (event.key === 'ArrowUp') setAt((before) => Math.max(before - 1, 0));
    else if (event.key === 'Enter') choose(at);
    else if (event.key === 'Escape') setOpen(false);
    else return;
    event.preventDefault();
  };
  const isShown = isOpen && asked !== '' && data !== undefined;
  return (
    <div className={css.search}>
      <Search size={15} className={css.icon} aria-hidden="true" />
      <input
        ref={input}
        className={css.input}
        role="combobox"
        aria-label={text.label}
        aria-expanded={isShown}
        aria-controls={id}
        aria-autocomplete="list"
        aria-activedescendant={isShown && found.length > 0 ? `${id}-${at}` : undefined}
        placeholder={text.placeholder}
        autoComplete="off"
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={press}
      />
      {isMain && <kbd className={css.key}>{text.key}</kbd>}
      <ul id={id} role="listbox" aria-label={text.label} className={css.list} hidden={!isShown}>
        {found.map((stock, index) => (
          <li
            key={stock.symbol}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            // The field would lose the focus before the click.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(index)}
            onMouseEnter={() => setAt(index)}
          >
            <span lang="ko" className={css.name}>
              {stock.name}
            </span>
            <span className={css.code}>
              {stock.symbol} {stock.market}
            </span>
            <span className={css.price}>
              <Price value={stock.last_price} />
            </span>
            <Percent value={stock.change_rate} />
          </li>
        ))}
        {found.length === 0 && (
          <li role="option" aria-selected={false} aria-disabled="true">
            {text.none}
          </li>
        )}
      </ul>
    </div>
  );
}
