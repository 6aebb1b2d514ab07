/** How figures read on the desk: grouped, signed, with a true minus sign and no lost digit. */

import { divideHalfEven, PLACES, scaled, WON, type Units } from './decimal';

/** Shown where a figure is not known. */
export const UNKNOWN = '–';

const MINUS = '−';

function grouped(magnitude: bigint): string {
  return magnitude.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

function signOf(value: bigint, always: boolean): string {
  if (value < 0n) return MINUS;
  return always && value > 0n ? '+' : '';
}

function fixed(value: bigint, places: number, always: boolean): string {
  const base = 10n ** BigInt(places);
  const magnitude = value < 0n ? -value : value;
  const fraction = (magnitude % base).toString().padStart(places, '0');
  return signOf(value, always) + grouped(magnitude / base) + (places > 0 ? `.${fraction}` : '');
}

/** Returns every digit of an amount without trailing zeros: `71,666.67`. */
export function formatPrice(value: Units | null): string {
  if (value === null) return UNKNOWN;
  return fixed(value, PLACES, false).replace(/\.?0+$/, '');
}

/** Returns an amount with its sign and every digit: `+1,500`, `−0.5`. */
export function formatSignedPrice(value: Units | null): string {
  if (value === null) return UNKNOWN;
  return fixed(value, PLACES, true).replace(/\.?0+$/, '');
}

/** Returns an amount in whole won, half to even, without a sign for gains. */
export function formatWon(value: Units | null): string {
  return value === null ? UNKNOWN : fixed(divideHalfEven(value, WON), 0, false);
}

/** Returns an amount in whole won, half to even, signed. */
export function formatSignedWon(value: Units | null): string {
  return value === null ? UNKNOWN : fixed(divideHalfEven(value, WON), 0, true);
}

/** Returns basis points as a signed percentage: `+1.16 %`. */
export function formatBasisPoints(value: bigint | null): string {
  return value === null ? UNKNOWN : `${fixed(value, 2, true)} %`;
}

/** Returns a percentage of the API in basis points, half to even. */
export function basisPointsOfPercent(value: number | null | undefined): bigint | null {
  return scaled(value, 2);
}

/** Returns a count of shares: `1,200`. */
export function formatQty(value: number | null | undefined): string {
  const whole = scaled(value, 0);
  return whole === null ? UNKNOWN : fixed(whole, 0, false);
}

/** Whether a change is large enough to stand out: 5 % or more either way. */
export function isLarge(basisPoints: bigint | null): boolean {
  return basisPoints !== null && (basisPoints >= 500n || basisPoints <= -500n);
}
