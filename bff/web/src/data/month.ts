/** Days of a month as a calendar shows them: whole weeks from Monday on. */

const DAY_MS = 86_400_000;

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

const iso = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Returns `text` if it names a month such as `2026-11`, else the month of `day`. */
export function monthOf(text: string | null, day: string): string {
  return text !== null && MONTH.test(text) ? text : day.slice(0, 7);
}

/** Returns the month `count` months after `month`. */
export function monthAfter(month: string, count: number): string {
  const [year = 0, of = 1] = month.split('-').map(Number);
  return iso(Date.UTC(year, of - 1 + count, 1)).slice(0, 7);
}

/** Returns the dates of the weeks in which `month` has days. */
export function weeksOf(month: string): string[] {
  const first = Date.parse(`${month}-01T00:00:00Z`);
  const last = Date.parse(`${monthAfter(month, 1)}-01T00:00:00Z`) - DAY_MS;
  const since = (new Date(first).getUTCDay() + 6) % 7;
  const left = 6 - ((new Date(last).getUTCDay() + 6) % 7);
  const dates: string[] = [];
  for (let ms = first - since * DAY_MS; ms <= last + left * DAY_MS; ms += DAY_MS) dates.push(iso(ms));
  return dates;
}
