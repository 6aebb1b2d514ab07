/** Unrealised profit and loss of a long position, exact. */

import { divideHalfEven, unitsOf, type Units } from './decimal';

/** Before fees and taxes, which are known only when the position is sold. */
export interface Unrealised {
  /** Exact. */
  pnl: Units;
  /** Value at the price it was judged by. */
  value: Units;
  /** In 1/100 of a percent, half to even; null where the cost is zero. */
  returnBasisPoints: bigint | null;
}

/**
 * Returns the price a position is judged by: the bid where there is one above zero, else the last
 * price. It is the price the engine judges by and what a sale could bring.
 */
export function evaluationPrice(
  last: number | null | undefined,
  bid: number | null | undefined,
): Units | null {
  const bidUnits = unitsOf(bid);
  return bidUnits !== null && bidUnits > 0n ? bidUnits : unitsOf(last);
}

/** Returns the P&L of `qty` shares bought at `average`, null while a figure is missing. */
export function unrealised(
  qty: number,
  average: number | null | undefined,
  price: Units | null,
): Unrealised | null {
  const averageUnits = unitsOf(average);
  if (averageUnits === null || price === null || !Number.isSafeInteger(qty)) return null;
  const shares = BigInt(qty);
  const gain = price - averageUnits;
  return {
    pnl: gain * shares,
    value: price * shares,
    returnBasisPoints: averageUnits === 0n ? null : divideHalfEven(gain * 10_000n, averageUnits),
  };
}

/** Returns the sums of several positions; the return is that of their joint cost. */
export function total(parts: readonly Unrealised[]): Unrealised {
  const pnl = parts.reduce((sum, part) => sum + part.pnl, 0n);
  const value = parts.reduce((sum, part) => sum + part.value, 0n);
  const cost = value - pnl;
  return { pnl, value, returnBasisPoints: cost === 0n ? null : divideHalfEven(pnl * 10_000n, cost) };
}
