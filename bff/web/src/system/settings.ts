/** Keys of the configuration: limits of alarms, by unit. */

import { z } from 'zod';

import { zSetting } from '../api/generated/zod.gen';

/** A key of which the value has levels, each with a number. */
export const zLimits = zSetting.extend({
  value: z.record(z.string(), z.number()),
  default: z.record(z.string(), z.number()),
});

export type Setting = z.infer<typeof zLimits>;

export const CONFIG_PATH = '/api/v1/config';

export const LEVELS = ['warning', 'critical'] as const;

export type LimitLevel = (typeof LEVELS)[number];

/** Longest reason that is taken, in characters. */
export const REASON_MAX = 500;

/** Returns the number of the API as it is typed: shares as percent, without the noise of binary fractions. */
export function typed(value: number | undefined, unit: string): string {
  if (value === undefined) return '';
  return String(unit === 'SHARE' ? Number((value * 100).toPrecision(12)) : value);
}

/** Returns what is typed as the number of the API, null where it is none. */
export function untyped(text: string, unit: string): number | null {
  const trimmed = text.trim();
  if (!/^-?\d{1,10}(\.\d{1,6})?$/.test(trimmed)) return null;
  const value = Number(trimmed);
  return unit === 'SHARE' ? Number((value / 100).toPrecision(12)) : value;
}

/** What stands beside a number of this unit. */
export function unitSign(unit: string): string {
  if (unit === 'SECONDS') return 's';
  return unit === 'SHARE' || unit === 'PERCENT' ? '%' : '';
}

/** Whether a value is another than the default. */
export function isChanged(setting: Setting): boolean {
  return LEVELS.some((level) => setting.value[level] !== setting.default[level]);
}

/** The group that a key belongs to, for reading. */
export function nameOf(key: string): string {
  return key.replace(/^alarms\./, '');
}
