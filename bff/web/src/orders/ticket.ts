/** The arithmetic of a purchase by hand: whole shares and whole won, exact. */

import { unitsOf, WON, type Units } from '../money/decimal';

export const TYPES = ['LMT', 'MKT'] as const;

export type OrderType = (typeof TYPES)[number];

/** What is typed into the ticket. */
export interface Ticket {
  stock: { symbol: string; name: string } | null;
  type: OrderType;
  qty: string;
  limit: string;
  reason: string;
}

/** Most of either that is taken: what JSON carries without loss, and the server besides. */
const WHOLE_MAX = 900_000_000_000_000;

/** Returns the whole number that was typed, digits grouped or not; null for anything else and for zero. */
export function wholeOf(typed: string): number | null {
  const text = typed.replaceAll(',', '').trim();
  if (!/^\d{1,15}$/.test(text)) return null;
  const value = Number(text);
  return value >= 1 && value <= WHOLE_MAX ? value : null;
}

export function grouped(typed: string): string {
  const digits = typed.replace(/\D/g, '').replace(/^0+(?=\d)/, '');
  return digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Price steps of the exchange for stocks: below a price, the step. */
const STEPS = [
  [2_000, 1],
  [5_000, 5],
  [20_000, 10],
  [50_000, 50],
  [200_000, 100],
  [500_000, 500],
] as const;

/** Returns the next price above (`1`) or below (`-1`) `price` that the exchange takes. */
export function stepped(price: number, direction: 1 | -1): number {
  // Below a border the finer step counts, on it the coarser one.
  const at = direction === 1 ? price : price - 1;
  const step = STEPS.find(([below]) => at < below)?.[1] ?? 1_000;
  const next = direction === 1 ? Math.floor(price / step) * step + step : Math.ceil(price / step) * step - step;
  return Math.max(1, next);
}

/** Returns what it costs before fees; null while something is missing. */
export function costOf(ticket: Ticket, marketPrice: number | null): Units | null {
  const qty = wholeOf(ticket.qty);
  const price = ticket.type === 'LMT' ? wholeOf(ticket.limit) : marketPrice;
  const each = unitsOf(price);
  return qty === null || each === null ? null : BigInt(qty) * each;
}

/** Returns how far `limit` lies from `price`, in units of 1/100 percent. */
export function distance(limit: number, price: number): bigint | null {
  const at = unitsOf(price);
  return at === null || at === 0n ? null : ((BigInt(limit) * WON - at) * 10_000n) / at;
}
