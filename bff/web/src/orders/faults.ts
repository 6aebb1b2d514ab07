/** Refusals of the server, beside the fields they are about. */

import type { Fault } from '../api/request';

/** Returns `fault` where the form must say it itself: it names no field, or one that the form does not have. */
export function unplaced(fault: Fault | null, fields: readonly string[]): Fault | null {
  if (fault === null) return null;
  const named = Object.keys(fault.fields);
  return named.length === 0 || named.some((name) => !fields.includes(name)) ? fault : null;
}
