/** What differs between two versions of rules. */

import { CUSTOM_KEYS, isObject, SECTION_IDS, SECTIONS, type Field, type Rules } from './schema';

/** One difference. A whole section or custom rule that came or went is one; its field is null then. */
export interface Difference {
  /** Section, or `custom`, or a key that no rule has. */
  section: string;
  /** Id of a custom rule. */
  customId: string | null;
  field: string | null;
  before: unknown;
  after: unknown;
}

type Json = Readonly<Record<string, unknown>>;

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function within(section: string, customId: string | null, known: readonly string[], before: unknown, after: unknown): Difference[] {
  if (isSame(before, after)) return [];
  if (!isObject(before) || !isObject(after)) return [{ section, customId, field: null, before, after }];
  const keys = [...new Set([...known, ...Object.keys(before), ...Object.keys(after)])];
  return keys
    .filter((key) => !isSame(before[key], after[key]))
    .map((field) => ({ section, customId, field, before: before[field], after: after[field] }));
}

/** Custom rules by their id; one whose id is not unique by its place as well. */
function byId(rules: Rules): Map<string, Json> {
  const found = new Map<string, Json>();
  const list: readonly unknown[] = Array.isArray(rules.custom) ? rules.custom : [];
  list.forEach((rule, place) => {
    if (!isObject(rule)) return;
    const id = String(rule.id ?? '');
    found.set(found.has(id) ? `${id} (${place + 1})` : id, rule);
  });
  return found;
}

/** Returns the differences, in the order of the form. */
export function differences(before: Rules, after: Rules): readonly Difference[] {
  const found: Difference[] = [];
  for (const id of SECTION_IDS) {
    const known = (SECTIONS[id] as readonly Field[]).map(({ key }) => key);
    found.push(...within(id, null, known, before[id] ?? undefined, after[id] ?? undefined));
  }
  const [old, now] = [byId(before), byId(after)];
  for (const id of new Set([...old.keys(), ...now.keys()])) {
    found.push(...within('custom', id, CUSTOM_KEYS, old.get(id), now.get(id)));
  }
  const known: readonly string[] = [...SECTION_IDS, 'custom'];
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (!known.includes(key)) found.push(...within(key, null, [], before[key], after[key]));
  }
  return found;
}
