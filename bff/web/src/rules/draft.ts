/** A rule that is being written: what the form holds, what of it is wrong, and what is sent. */

import type { z } from 'zod';

import type { zExitRule } from '../api/generated/zod.gen';
import { isBefore } from '../live/instant';
import { differences, type Difference } from './diff';
import type { Rules } from './schema';
import { isInForce, SCOPES, type Scope } from './serving';

export type ExitRule = z.infer<typeof zExitRule>;

export interface Draft {
  /** The stored rule that it is made from; null for a new one. */
  base: ExitRule | null;
  ruleId: string;
  scope: Scope;
  scopeKey: string;
  name: string;
  description: string;
  isActive: boolean;
  /** A date, or nothing. */
  effectiveFrom: string;
  rules: Rules;
}

export const NAME_MAX = 64;
export const TEXT_MAX = 500;
const ID_MAX = 128;

export function scopeOf(text: string): Scope {
  return SCOPES.find((scope) => scope === text) ?? 'DEFAULT';
}

/** Whether rules of a scope name whom they serve. */
export function hasKey(scope: Scope): boolean {
  return scope === 'SYMBOL' || scope === 'STRATEGY';
}

export function draftOf(rule: ExitRule): Draft {
  return {
    base: rule,
    ruleId: rule.rule_id,
    scope: scopeOf(rule.scope),
    scopeKey: rule.scope_key ?? '',
    name: rule.name,
    description: rule.description ?? '',
    isActive: rule.is_active,
    effectiveFrom: rule.effective_from ?? '',
    rules: rule.rules,
  };
}

/** Returns a new rule for a scope, with an id that speaks of it. */
export function newDraft(scope: Scope, scopeKey: string, rules: Rules): Draft {
  const ruleId = scopeKey === '' ? '' : `${scope.toLowerCase()}-${scopeKey.toLowerCase()}`;
  return { base: null, ruleId, scope, scopeKey, name: '', description: '', isActive: true, effectiveFrom: '', rules };
}

/** What of a rule beside its parameters is changed. */
export type HeadField = 'name' | 'description' | 'isActive' | 'effectiveFrom';

export interface Changes {
  head: readonly { field: HeadField; before: string | boolean; after: string | boolean }[];
  rules: readonly Difference[];
  count: number;
}

/** Returns what `draft` changes of `stored`. */
export function changesOf(draft: Draft, stored: ExitRule | null): Changes {
  const from = stored === null ? null : draftOf(stored);
  const fields: readonly HeadField[] = ['name', 'description', 'isActive', 'effectiveFrom'];
  const head =
    from === null
      ? []
      : fields.filter((field) => from[field] !== draft[field]).map((field) => ({ field, before: from[field], after: draft[field] }));
  const rules = differences(from?.rules ?? {}, draft.rules);
  return { head, rules, count: head.length + rules.length };
}

/** Whether somebody has saved the rule since the draft was begun. */
export function isOvertaken(draft: Draft, stored: ExitRule | null): boolean {
  return draft.base !== null && stored !== null && isBefore(draft.base.updated_ts, stored.updated_ts);
}

/** What is wrong with who it is and whom it serves. */
export type HeadFlaws = Partial<Record<'ruleId' | 'scopeKey' | 'scope' | 'name' | 'description', 'id' | 'taken' | 'symbol' | 'strategy' | 'long' | 'served'>>;

/** Another active rule of the same scope: there is one at most, except of positions. */
export function rivalOf(draft: Draft, rules: readonly ExitRule[]): ExitRule | null {
  if (!draft.isActive || draft.scope === 'POSITION') return null;
  const key = hasKey(draft.scope) ? draft.scopeKey.trim() : '';
  return (
    rules.find((rule) => rule.is_active && rule.rule_id !== draft.base?.rule_id && rule.scope === draft.scope && (rule.scope_key ?? '') === key) ?? null
  );
}

export function headFlawsOf(draft: Draft, rules: readonly ExitRule[]): HeadFlaws {
  const flaws: HeadFlaws = {};
  const bytes = new TextEncoder().encode(draft.ruleId).length;
  if (draft.base === null) {
    if (bytes === 0 || bytes > ID_MAX || /\p{Cc}/u.test(draft.ruleId) || draft.ruleId.trim() !== draft.ruleId) flaws.ruleId = 'id';
    else if (rules.some((rule) => rule.rule_id === draft.ruleId)) flaws.ruleId = 'taken';
  }
  const key = draft.scopeKey.trim();
  if (draft.scope === 'SYMBOL' && !/^[0-9A-Za-z]{1,9}$/.test(key)) flaws.scopeKey = 'symbol';
  if (draft.scope === 'STRATEGY' && (key === '' || [...key].length > NAME_MAX)) flaws.scopeKey = 'strategy';
  if (rivalOf(draft, rules) !== null) flaws[hasKey(draft.scope) ? 'scopeKey' : 'scope'] = 'served';
  if ([...draft.name].length > NAME_MAX) flaws.name = 'long';
  if ([...draft.description].length > TEXT_MAX) flaws.description = 'long';
  return flaws;
}

/** Whom a draft is asked about for and saved for. */
function placeOf(draft: Draft): { scope: Scope; scope_key?: string } {
  return hasKey(draft.scope) ? { scope: draft.scope, scope_key: draft.scopeKey.trim() } : { scope: draft.scope };
}

/** Returns the question which positions would sell, null for a rule that would serve nobody today. */
export function questionOf(draft: Draft, today: string): object | null {
  const would = { rule_id: draft.ruleId, scope: draft.scope, is_active: draft.isActive, effective_from: draft.effectiveFrom || null };
  if (!isInForce(would, today)) return null;
  return { rule_id: draft.ruleId, ...placeOf(draft), rules: draft.rules };
}

/** Returns what is sent to save it. */
export function bodyOf(draft: Draft, reason: string): object {
  return {
    ...placeOf(draft),
    ...(draft.name.trim() === '' ? {} : { name: draft.name.trim() }),
    ...(draft.description.trim() === '' ? {} : { description: draft.description.trim() }),
    ...(draft.effectiveFrom === '' ? {} : { effective_from: draft.effectiveFrom }),
    ...(draft.base === null ? {} : { version: draft.base.version }),
    rules: draft.rules,
    is_active: draft.isActive,
    reason: reason.trim(),
  };
}
