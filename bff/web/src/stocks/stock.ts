/** Issues of the exchange: what is listed, and how it is asked for. */

import { z } from 'zod';

import { zStock } from '../api/generated/zod.gen';

export type Stock = z.infer<typeof zStock>;

export const MARKETS = ['all', 'KOSPI', 'KOSDAQ', 'KONEX'] as const;

export type Market = (typeof MARKETS)[number];

/** Tables from which issues come; their flags are in no feed and are asked for. */
export const STOCK_TABLES = ['market.stocks'];

/** What the list is narrowed by. */
export interface Filter {
  market: Market;
  search: string;
  isTradableOnly: boolean;
}

/** Returns the path of the list. */
export function listPath({ market, search, isTradableOnly }: Filter): string {
  const query = new URLSearchParams({ limit: '100', market });
  if (search !== '') query.set('search', search);
  if (isTradableOnly) query.set('is_tradable', 'true');
  return `/api/v1/stocks?${query.toString()}`;
}

/** Something about an issue that whoever trades it should know first. */
export type Flag = 'DELISTED' | 'SUSPENDED' | 'HALTED' | 'MANAGED' | 'CAUTION' | 'NOT_TRADABLE' | 'NXT_STOPPED';

/** Returns the flags of an issue, the gravest first. */
export function flagsOf(stock: Stock): Flag[] {
  const isHalted = stock.trade_halt_reason != null && stock.trade_halt_reason !== '';
  const flags: readonly (readonly [Flag, boolean])[] = [
    ['DELISTED', stock.status === 'DELISTED'],
    ['SUSPENDED', stock.status === 'SUSPENDED'],
    ['HALTED', isHalted && stock.status !== 'SUSPENDED'],
    ['MANAGED', stock.is_managed],
    ['CAUTION', stock.is_caution],
    ['NOT_TRADABLE', !stock.is_tradable && stock.status === 'ACTIVE' && !isHalted],
    ['NXT_STOPPED', stock.is_nxt_stopped === true],
  ];
  return flags.filter(([, isSet]) => isSet).map(([flag]) => flag);
}
