/** Points in time of the API: RFC 3339, shown in Seoul time. */

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/;

const SEOUL_OFFSET_MS = 9 * 60 * 60 * 1000;

/** Returns microseconds since the Unix epoch, null for what is not a time. */
export function microsOf(text: string | null | undefined): bigint | null {
  const match = RFC_3339.exec(text ?? '');
  if (match === null) return null;
  const [, date, time, fraction = '', zone] = match;
  const millis = Date.parse(`${date}T${time}${zone}`);
  if (Number.isNaN(millis)) return null;
  return BigInt(millis) * 1000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
}

/** Whether `a` lies before `b`. A time that is missing lies before every other. */
export function isBefore(a: string | null | undefined, b: string | null | undefined): boolean {
  const right = microsOf(b);
  if (right === null) return false;
  const left = microsOf(a);
  return left === null || left < right;
}

/** Returns the Seoul time of day, with the date in front when it is not the day of `nowMs`. */
export function formatTime(text: string | null | undefined, nowMs: number): string {
  const micros = microsOf(text);
  if (micros === null) return '–';
  const iso = new Date(Number(micros / 1000n) + SEOUL_OFFSET_MS).toISOString();
  const today = new Date(nowMs + SEOUL_OFFSET_MS).toISOString().slice(0, 10);
  const time = iso.slice(11, 19);
  return iso.startsWith(today) ? time : `${iso.slice(5, 10)} ${time}`;
}
