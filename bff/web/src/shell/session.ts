/** The session of the exchange by the clock (KRX rules: opening auction from 08:30, closing auction from 15:20). */

export type Phase = 'PRE_OPEN' | 'OPENING' | 'REGULAR' | 'CLOSING' | 'AFTER' | 'CLOSED' | 'HOLIDAY' | 'UNKNOWN';

const SEOUL_OFFSET_MS = 9 * 60 * 60 * 1000;

/** Begins of the phases of an open day, seconds of the day in Seoul. */
const PHASES: readonly (readonly [number, Phase])[] = [
  [0, 'CLOSED'],
  [8 * 3600, 'PRE_OPEN'],
  [8 * 3600 + 30 * 60, 'OPENING'],
  [9 * 3600, 'REGULAR'],
  [15 * 3600 + 20 * 60, 'CLOSING'],
  [15 * 3600 + 30 * 60, 'AFTER'],
  [18 * 3600, 'CLOSED'],
];

/** Returns the date in Seoul. */
export function seoulDay(nowMs: number): string {
  return new Date(nowMs + SEOUL_OFFSET_MS).toISOString().slice(0, 10);
}

export interface Session {
  phase: Phase;
  /** What comes after it today; null where nothing does, or nobody knows. */
  next: Phase | null;
  /** Until then. */
  seconds: number;
  /** Time of day in Seoul. */
  time: string;
}

/** Returns the session at a time of a day that is open, closed, or not known to the calendar (undefined). */
export function phaseAt(nowMs: number, isOpen: boolean | undefined): Session {
  const time = new Date(nowMs + SEOUL_OFFSET_MS).toISOString().slice(11, 19);
  if (isOpen !== true) {
    return { phase: isOpen === undefined ? 'UNKNOWN' : 'HOLIDAY', next: null, seconds: 0, time };
  }
  const second = Math.floor(((nowMs + SEOUL_OFFSET_MS) % 86_400_000) / 1000);
  const index = PHASES.findLastIndex(([begin]) => begin <= second);
  const [, phase] = PHASES[index] ?? PHASES[0]!;
  const following = PHASES[index + 1];
  return following === undefined
    ? { phase, next: null, seconds: 0, time }
    : { phase, next: following[1], seconds: following[0] - second, time };
}
