/** Changes of rows, and what of a row is other than before. */

import type { z } from 'zod';

import type { zAuditEntry } from '../api/generated/zod.gen';

export type Change = z.infer<typeof zAuditEntry>;

export interface FieldChange {
  field: string;
  was: string | null;
  now: string | null;
}

function shown(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Fields that change with every change, and say nothing. */
const NOISE = new Set(['updated_ts', 'version']);

/** Returns what is other than before: of a new row everything it has, of one that is gone everything it had. */
export function changesOf({ was, now }: Change): FieldChange[] {
  const fields = new Set([...Object.keys(was ?? {}), ...Object.keys(now ?? {})]);
  return [...fields]
    .map((field) => ({ field, was: shown(was?.[field]), now: shown(now?.[field]) }))
    .filter((change) => change.was !== change.now)
    .sort((a, b) => Number(NOISE.has(a.field)) - Number(NOISE.has(b.field)));
}

/** Returns a change in a few words: the fields that are other, with what they are now. */
export function inShort(change: Change): string {
  const fields = changesOf(change).filter(({ field }) => !NOISE.has(field));
  if (change.op !== 'UPDATE') return '';
  return fields
    .slice(0, 3)
    .map(({ field, was, now }) => `${field}: ${was ?? '∅'} → ${now ?? '∅'}`)
    .join(', ');
}
