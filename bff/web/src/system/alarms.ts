/** Alarms as the page shows them. */

import type { z } from 'zod';

import type { zAlarmEpisode } from '../api/generated/zod.gen';

export type Alarm = z.infer<typeof zAlarmEpisode>;

/** Levels, the worst first. */
export const ALARM_LEVELS = ['P0', 'CRITICAL', 'WARNING', 'INFO'] as const;

/** Longest reason of an acknowledgement, in characters. */
export const REASON_MAX = 500;

/** Returns the alarms that stand, the worst first, then those of which nobody has taken note. */
export function standing(alarms: readonly Alarm[]): Alarm[] {
  const rank = ({ level }: Alarm) => ALARM_LEVELS.indexOf(level as (typeof ALARM_LEVELS)[number]);
  const isNoted = (alarm: Alarm) => Number(alarm.acknowledged_by != null);
  return alarms
    .filter(({ cleared_ts }) => cleared_ts == null)
    .sort((a, b) => isNoted(a) - isNoted(b) || rank(a) - rank(b) || b.raised_ts.localeCompare(a.raised_ts));
}
