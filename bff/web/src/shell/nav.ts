/** The pages of the app, in the order of the menu. */

import {
  Activity,
  ArrowLeftRight,
  Bookmark,
  ChartCandlestick,
  Database,
  LayoutDashboard,
  ListOrdered,
  ScrollText,
  ShieldAlert,
  Target,
  TrendingUp,
  type LucideIcon,
} from 'lucide-react';

import { texts } from '../text/text';

export const NAV_TEXT = texts(
  {
    desk: 'Desk',
    orders: 'Orders',
    exits: 'Exits & re-entries',
    rules: 'Rules',
    strategy: 'Strategy',
    risk: 'Risk',
    performance: 'Performance',
    watchlist: 'Watchlist',
    stocks: 'Stocks',
    data: 'Data',
    system: 'System',
    position: 'Position',
  },
  {
    desk: '데스크',
    orders: '주문',
    exits: '청산·재진입',
    rules: '규칙',
    strategy: '전략',
    risk: '리스크',
    performance: '성과',
    watchlist: '관심종목',
    stocks: '종목',
    data: '데이터',
    system: '시스템',
    position: '포지션',
  },
);

export type PageId = keyof (typeof NAV_TEXT)['en'];

/** Names for the bar of a phone, of the pages whose own are too long for it. */
export const SHORT_NAV_TEXT = texts<{ [id in PageId]?: string }>({ exits: 'Exits' }, { exits: '청산' });

export interface PageLink {
  id: PageId;
  href: string;
  icon: LucideIcon;
  /** Pressed after `g`. */
  key: string;
}

export const PAGES: readonly PageLink[] = [
  { id: 'desk', href: '/', icon: LayoutDashboard, key: 'd' },
  { id: 'orders', href: '/orders/', icon: ListOrdered, key: 'o' },
  { id: 'exits', href: '/exits/', icon: ArrowLeftRight, key: 'e' },
  { id: 'rules', href: '/rules/', icon: ScrollText, key: 'u' },
  { id: 'strategy', href: '/strategy/', icon: Target, key: 't' },
  { id: 'risk', href: '/risk/', icon: ShieldAlert, key: 'r' },
  { id: 'performance', href: '/performance/', icon: TrendingUp, key: 'p' },
  { id: 'watchlist', href: '/watchlist/', icon: Bookmark, key: 'w' },
  { id: 'stocks', href: '/stocks/', icon: ChartCandlestick, key: 's' },
  { id: 'data', href: '/data/', icon: Database, key: 'a' },
  { id: 'system', href: '/system/', icon: Activity, key: 'y' },
];

/** Pages of the bar at the bottom of a phone; the others are behind its last button. */
export const PHONE_PAGES: readonly PageId[] = ['desk', 'orders', 'exits', 'risk'];

