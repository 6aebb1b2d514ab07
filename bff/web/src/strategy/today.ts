/** Dates in Seoul. */

const SEOUL_OFFSET_MS = 9 * 60 * 60 * 1000;

/** Returns today's date in Seoul, such as 2026-11-24. */
export function seoulToday(nowMs: number): string {
  return new Date(nowMs + SEOUL_OFFSET_MS).toISOString().slice(0, 10);
}
