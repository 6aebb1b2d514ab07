/** Everything that can be said of a draft without asking anybody. */

import { remarksOn, type Remark } from './advice';
import { changesOf, headFlawsOf, isOvertaken, questionOf, type Changes, type Draft, type ExitRule, type HeadFlaws } from './draft';
import { SECTIONS, type Field } from './schema';
import { isInForce, serving, type Chooser } from './serving';
import { flawsOf, type Flaw } from './validate';

export interface Judgement<P> {
  changes: Changes;
  headFlaws: HeadFlaws;
  flaws: readonly Flaw[];
  remarks: readonly Remark[];
  isChanged: boolean;
  /** What the engine is asked; null where there is nothing to ask. */
  question: object | null;
  /** What somebody else has saved meanwhile. */
  overtaken: ExitRule | null;
  /** Live positions that it would serve. */
  served: readonly P[];
  /** The rule that would serve in its place if there were none of this id; null where none would. */
  replaced: ExitRule | null;
  /** Rules, by name, to which positions fall that it would no longer serve, null for none, and how many. */
  fallbacks: ReadonlyMap<string | null, number>;
}

/** Judges a draft beside the rules and the live positions of the day. */
export function judge<P extends Chooser>(draft: Draft, stored: ExitRule | null, rules: readonly ExitRule[], positions: readonly P[], today: string): Judgement<P> {
  const changes = changesOf(draft, draft.base);
  const headFlaws = headFlawsOf(draft, rules);
  const flaws = flawsOf(draft.rules);
  const isChanged = draft.base === null || changes.count > 0;
  const isSound = flaws.length === 0 && Object.keys(headFlaws).length === 0;
  const would = {
    rule_id: draft.ruleId,
    scope: draft.scope,
    scope_key: draft.scopeKey.trim() || null,
    is_active: draft.isActive,
    effective_from: draft.effectiveFrom || null,
  };
  const others = rules.filter(({ rule_id }) => rule_id !== draft.ruleId);
  const serves = (among: readonly (typeof would | ExitRule)[], position: P) => serving(among, position, today)[0]?.rule_id === draft.ruleId;
  const fallbacks = new Map<string | null, number>();
  if (stored !== null && isChanged && !isInForce(would, today)) {
    for (const position of positions.filter((one) => serves(rules, one))) {
      const to = serving(others, position, today)[0]?.name ?? null;
      fallbacks.set(to, (fallbacks.get(to) ?? 0) + 1);
    }
  }
  const served = positions.filter((position) => serves([...others, would], position));
  const by: Chooser = served[0] ?? { symbol: draft.scope === 'SYMBOL' ? draft.scopeKey : '', strategy_id: draft.scope === 'STRATEGY' ? draft.scopeKey : '' };
  return {
    changes,
    headFlaws,
    flaws,
    remarks: remarksOn(draft.rules),
    isChanged,
    question: isChanged && isSound ? questionOf(draft, today) : null,
    overtaken: isOvertaken(draft, stored) ? stored : null,
    served,
    replaced: serving(others, by, today)[0] ?? null,
    fallbacks,
  };
}

/** Whether what is wrong at `path` is said at a field of the form. */
export function isOnForm(path: string): boolean {
  if (path === 'custom' || /^custom\[\d+\]\.(id|condition|pnl|qty|base)$/.test(path)) return true;
  const [section = '', field] = path.split('.');
  const fields = (SECTIONS as Readonly<Record<string, readonly Field[]>>)[section];
  return fields !== undefined && (field === undefined || fields.some(({ key }) => key === field));
}
