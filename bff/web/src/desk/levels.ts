/** Where the levels of a position lie on its bar, and how far the price is from them. */

import type { LiveLevel } from '../live/levels';
import { divideHalfEven, unitsOf, type Units } from '../money/decimal';

/** Free part of the bar beyond its outermost mark, of its whole. */
const MARGIN = 0.06;

export interface Scale {
  from: number;
  to: number;
}

/** Returns the prices between which everything of `marks` lies, with a margin; null without a mark. */
export function scaleOf(marks: readonly (number | null | undefined)[]): Scale | null {
  const known = marks.filter((mark): mark is number => mark != null && Number.isFinite(mark) && mark > 0);
  if (known.length === 0) return null;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const margin = Math.max((high - low) * MARGIN, high * 0.001);
  return { from: low - margin, to: high + margin };
}

/** Returns where `price` lies on `scale`, 0 to 100; a price beyond it lies at its end. */
export function placeOn(scale: Scale, price: number): number {
  const part = (price - scale.from) / (scale.to - scale.from);
  return Math.max(0, Math.min(1, part)) * 100;
}

/** How far a price is from a level. */
export interface Distance {
  level: LiveLevel;
  /** Way to the level in 1/100 of a percent of the price; 0 or less: reached. */
  basisPoints: bigint;
}

/** Returns the way from `price` to the level as the engine counts it: below it down, above it up. */
export function distanceTo(level: LiveLevel, price: Units | null): Distance | null {
  const at = unitsOf(level.level);
  if (at === null || price === null || price <= 0n) return null;
  const way = level.side === 'BELOW' ? price - at : at - price;
  return { level, basisPoints: divideHalfEven(way * 10_000n, price) };
}

/** Returns the level that is nearest to firing. */
export function nearestOf(levels: readonly LiveLevel[], price: Units | null): Distance | null {
  let nearest: Distance | null = null;
  for (const level of levels) {
    const distance = distanceTo(level, price);
    if (distance !== null && (nearest === null || distance.basisPoints < nearest.basisPoints)) nearest = distance;
  }
  return nearest;
}
