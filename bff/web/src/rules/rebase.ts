/** Puts one's own changes on what somebody else has saved meanwhile. */

import { differences, type Difference } from './diff';
import { changesOf, draftOf, type Draft, type ExitRule, type HeadField } from './draft';
import { isObject, withCustom, type Rules } from './schema';

function withEntry(object: Readonly<Record<string, unknown>>, key: string, value: unknown): Record<string, unknown> {
  const next = { ...object };
  if (value === undefined) delete next[key];
  else next[key] = value;
  return next;
}

function withCustomChange(rules: Rules, { customId, field, after }: Difference): Rules {
  const list: readonly unknown[] = Array.isArray(rules.custom) ? rules.custom : [];
  const isIt = (rule: unknown) => isObject(rule) && rule.id === customId;
  if (field !== null) {
    return withCustom(rules, list.map((rule) => (isIt(rule) && isObject(rule) ? withEntry(rule, field, after) : rule)));
  }
  const others = list.filter((rule) => !isIt(rule));
  return withCustom(rules, after === undefined ? others : [...others, after]);
}

/** Returns rules with one difference applied. */
function applied(rules: Rules, change: Difference): Rules {
  if (change.customId !== null) return withCustomChange(rules, change);
  if (change.field === null) return withEntry(rules, change.section, change.after);
  const section = rules[change.section];
  return { ...rules, [change.section]: withEntry(isObject(section) ? section : {}, change.field, change.after) };
}

/** Returns the draft as made from `stored`: theirs, with one's own changes; where both changed a field one's own. */
export function rebased(draft: Draft, stored: ExitRule): Draft {
  const { base } = draft;
  if (base === null) return draft;
  const mine = new Set<HeadField>(changesOf(draft, base).head.map(({ field }) => field));
  const theirs = draftOf(stored);
  const kept = Object.fromEntries([...mine].map((field) => [field, draft[field]]));
  return { ...theirs, ...kept, rules: differences(base.rules, draft.rules).reduce(applied, stored.rules) };
}
