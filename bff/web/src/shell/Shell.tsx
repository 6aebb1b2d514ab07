'use client';

import { Menu } from 'lucide-react';
import Link from 'next/link';
import { usePathname } from 'next/navigation';
import { useState, type ReactNode } from 'react';

import { ModeBadge } from '../control/ModeBadge';
import { texts, useText } from '../text/text';
import { Dialog } from '../ui/Dialog';
import { Banners } from './Banners';
import { HealthStrip } from './HealthStrip';
import { MarketClock } from './MarketClock';
import { NAV_TEXT, PAGES, PHONE_PAGES, SHORT_NAV_TEXT, type PageLink } from './nav';
import { PreferencesMenu } from './PreferencesMenu';
import { Shortcuts } from './Shortcuts';
import { StockSearch } from './StockSearch';
import css from './Shell.module.css';

const TEXT = texts(
  { skip: 'Skip to the page', menu: 'Pages', more: 'More' },
  { skip: '본문으로 건너뛰기', menu: '메뉴', more: '더보기' },
);

/** Whether `path` is the page of `href` or below it. */
export function isAt(path: string, href: string): boolean {
  if (href === '/') return path === '/' || path.startsWith('/position');
  return path.startsWith(href.replace(/\/$/, ''));
}

function NavLink({ page, path, isShort = false, onGo }: { page: PageLink; path: string; isShort?: boolean; onGo?: () => void }) {
  const text = useText(NAV_TEXT);
  const short = useText(SHORT_NAV_TEXT);
  const Icon = page.icon;
  return (
    <Link
      href={page.href}
      className={css.link}
      aria-current={isAt(path, page.href) ? 'page' : undefined}
      {...(onGo === undefined ? {} : { onClick: onGo })}
    >
      <Icon size={16} aria-hidden="true" />
      <span>{(isShort ? short[page.id] : undefined) ?? text[page.id]}</span>
    </Link>
  );
}

/** The frame of every page. */
export function Shell({ children }: { children: ReactNode }) {
  const text = useText(TEXT);
  const path = usePathname();
  const [isMenuOpen, setMenuOpen] = useState(false);
  return (
    <div className={css.shell}>
      <a href="#page" className={css.skip}>
        {text.skip}
      </a>
      <nav className={css.sidebar} aria-label={text.menu}>
        <Link href="/" className={css.brand}>
          <img src="/icon.svg" alt="" width={20} height={20} />
          Turnstile
        </Link>
        {PAGES.map((one) => (
          <NavLink key={one.id} page={one} path={path} />
        ))}
        <HealthStrip />
      </nav>
      <header className={css.header}>
        <StockSearch />
        <div className={css.status}>
          <ModeBadge />
          <MarketClock />
          <PreferencesMenu />
        </div>
      </header>
      <main id="page" className={css.main} tabIndex={-1}>
        <Banners />
        {children}
      </main>
      <nav className={css.tabs} aria-label={text.menu}>
        {PAGES.filter(({ id }) => PHONE_PAGES.includes(id)).map((one) => (
          <NavLink key={one.id} page={one} path={path} isShort />
        ))}
        <button type="button" className={css.link} onClick={() => setMenuOpen(true)}>
          <Menu size={16} aria-hidden="true" />
          <span>{text.more}</span>
        </button>
      </nav>
      <Dialog title={text.menu} isOpen={isMenuOpen} onClose={() => setMenuOpen(false)}>
        <div className={css.menu}>
          {PAGES.map((one) => (
            <NavLink key={one.id} page={one} path={path} onGo={() => setMenuOpen(false)} />
          ))}
        </div>
        <HealthStrip />
      </Dialog>
      <Shortcuts />
    </div>
  );
}
