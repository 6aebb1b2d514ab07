/** How long a position has been held. */

import { seoulDay } from '../shell/session';

const DAY_MS = 86_400_000;

/** Returns the calendar days in Seoul from `entry` to `untilMs`. */
export function daysHeld(entry: string, untilMs: number): number {
  const from = Date.parse(seoulDay(Date.parse(entry)));
  const until = Date.parse(seoulDay(untilMs));
  return Math.max(0, Math.round((until - from) / DAY_MS));
}

/** Returns the time at which `days` after `entry` are over, as the engine counts them: in whole 24 hours. */
export function dueAfter(entry: string, days: number): string {
  return new Date(Date.parse(entry) + days * DAY_MS).toISOString();
}
