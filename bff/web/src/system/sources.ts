/** Best prices by the source that tells them, and how old they are. */

import type { z } from 'zod';

import type { zBestPrice } from '../api/generated/zod.gen';

export type BestPrice = z.infer<typeof zBestPrice>;

/** Sources, the best first, with how long their prices count as fresh in session and outside of it, seconds. */
export const SOURCES = [
  { id: 'KIS_WS', freshIn: 2, freshOut: 10 },
  { id: 'KIS_REST', freshIn: 10, freshOut: 30 },
  { id: 'NAVER', freshIn: 30, freshOut: 60 },
] as const;

export type SourceId = (typeof SOURCES)[number]['id'];

export interface SourceState {
  id: SourceId;
  symbols: number;
  fresh: number;
  stale: number;
  /** Ages in milliseconds; null where it tells no price. */
  medianMs: number | null;
  oldestMs: number | null;
  /** How many are stale for which reason, the most first. */
  reasons: readonly (readonly [string, number])[];
}

function median(sorted: readonly number[]): number | null {
  if (sorted.length === 0) return null;
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

/** Returns of every source how many symbols it tells and how old they are. */
export function sourcesOf(prices: readonly BestPrice[]): SourceState[] {
  return SOURCES.map(({ id }) => {
    const own = prices.filter(({ source }) => source === id);
    const ages = own.map(({ age_ms }) => age_ms).sort((a, b) => a - b);
    const reasons = new Map<string, number>();
    for (const { stale_reason } of own) {
      if (stale_reason != null) reasons.set(stale_reason, (reasons.get(stale_reason) ?? 0) + 1);
    }
    const stale = own.filter(({ is_stale }) => is_stale).length;
    return {
      id,
      symbols: own.length,
      fresh: own.length - stale,
      stale,
      medianMs: median(ages),
      oldestMs: ages.at(-1) ?? null,
      reasons: [...reasons].sort(([, a], [, b]) => b - a),
    };
  });
}

/** Upper bounds of the classes of the age of a price, milliseconds; above the last there is one more. */
export const AGE_BOUNDS_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000] as const;

export interface AgeClass {
  /** Exclusive; null: no bound. */
  belowMs: number | null;
  fresh: number;
  stale: number;
}

/** Returns how many prices are of which age, the youngest first. */
export function agesOf(prices: readonly BestPrice[]): AgeClass[] {
  const classes: AgeClass[] = [...AGE_BOUNDS_MS, null].map((belowMs) => ({ belowMs, fresh: 0, stale: 0 }));
  for (const { age_ms, is_stale } of prices) {
    const at = AGE_BOUNDS_MS.findIndex((bound) => age_ms < bound);
    const found = classes[at === -1 ? classes.length - 1 : at];
    if (found === undefined) continue;
    if (is_stale) found.stale += 1;
    else found.fresh += 1;
  }
  return classes;
}

/** A time as it reads: 12 ms, 0.3 s, 12 s, 4 min, 3 h. */
export function formatAge(ms: number | null | undefined): string {
  if (ms == null || !Number.isFinite(ms)) return '–';
  if (ms < 100) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
