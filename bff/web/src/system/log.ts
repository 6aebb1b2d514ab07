/** Log entries, and finding a text in them. */

import type { z } from 'zod';

import type { zLogEntry } from '../api/generated/zod.gen';

export type Entry = z.infer<typeof zLogEntry>;

/** Whether an entry has `text` in anything that is shown of it; upper and lower case are the same. */
export function hasText(entry: Entry, text: string): boolean {
  if (text === '') return true;
  const wanted = text.toLowerCase();
  const { event, module, message, symbol, request_id, context } = entry;
  return [event, module, message, symbol, request_id, JSON.stringify(context)].some((part) => part?.toLowerCase().includes(wanted) === true);
}
