/** How far a price is from what the operator waits for: exact, in basis points of the price. */

import { divideHalfEven, unitsOf, type Units } from '../money/decimal';

/** What is waited for. */
export interface Waited {
  alert_enabled: boolean;
  alert_price?: number | null;
  alert_condition?: string | null;
}

/** `none`: nothing is waited for. `off`: there is a price, but no alarm. `reached`: at the price or beyond. */
export type AlertState = 'none' | 'off' | 'waiting' | 'reached';

export interface Alert {
  state: AlertState;
  /** The move that is missing, signed, in basis points of the price; null where a figure is missing. */
  gap: bigint | null;
}

/** Returns the move from `from` to `to` in basis points of `from`, half to even. */
export function moveTo(from: Units | null, to: Units | null): bigint | null {
  if (from === null || to === null || from <= 0n) return null;
  return divideHalfEven((to - from) * 10_000n, from);
}

/** Returns how an alert stands at `price`. */
export function alertAt(waited: Waited, price: number | null | undefined): Alert {
  const level = unitsOf(waited.alert_price);
  if (level === null) return { state: 'none', gap: null };
  const now = unitsOf(price);
  const gap = moveTo(now, level);
  if (!waited.alert_enabled) return { state: 'off', gap };
  if (now === null) return { state: 'waiting', gap };
  const isReached = waited.alert_condition === 'BELOW' ? now <= level : now >= level;
  return { state: isReached ? 'reached' : 'waiting', gap };
}

/** Returns the magnitude of a gap, by which alerts are ordered; a reached one comes first. */
export function nearness({ state, gap }: Alert): bigint | null {
  if (state === 'reached') return -1n;
  if (state !== 'waiting' || gap === null) return null;
  return gap < 0n ? -gap : gap;
}
