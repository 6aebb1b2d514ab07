/** Which rule the address asks for: one that stands, or a new one for a stock or a position. */

import { newDraft, type Draft, type ExitRule } from './draft';
import { serving, type Chooser } from './serving';
import { TEMPLATES } from './templates';

export interface Asked {
  rule: string | null;
  isNew: boolean;
  symbol: string | null;
  /** A position, by its id. */
  position: string | null;
}

export type Open =
  | { kind: 'rule'; key: string; rule: ExitRule }
  /** `because`: the position names a rule that is missing, or none, so that its stock is overridden. */
  | { kind: 'new'; key: string; draft: Draft; because: 'position' | 'symbol' | null }
  | { kind: 'none'; why: 'gone' | 'closed' | 'nothing' };

type Live = Chooser & { position_id: string };

function ofRule(rule: ExitRule): Open {
  return { kind: 'rule', key: rule.rule_id, rule };
}

function ofSymbol(symbol: string, by: Chooser, rules: readonly ExitRule[], today: string, because: 'symbol' | null): Open {
  const standing = rules.find((rule) => rule.scope === 'SYMBOL' && rule.scope_key === symbol);
  if (standing !== undefined) return ofRule(standing);
  // It begins as what serves now, so that what differs is what was meant.
  const from = serving(rules, by, today)[0]?.rules ?? TEMPLATES.recommended;
  return { kind: 'new', key: `new SYMBOL ${symbol}`, draft: newDraft('SYMBOL', symbol, from), because };
}

/** Returns what is open; without a wish the rule that serves everybody. */
export function openOf(asked: Asked, rules: readonly ExitRule[], positions: readonly Live[], today: string): Open {
  if (asked.rule !== null) {
    const rule = rules.find(({ rule_id }) => rule_id === asked.rule);
    return rule === undefined ? { kind: 'none', why: 'gone' } : ofRule(rule);
  }
  if (asked.position !== null) {
    const position = positions.find(({ position_id }) => position_id === asked.position);
    if (position === undefined) return { kind: 'none', why: 'closed' };
    const named = position.exit_profile_id ?? null;
    if (named === null) return ofSymbol(position.symbol, position, rules, today, 'symbol');
    const own = rules.find(({ rule_id }) => rule_id === named);
    if (own !== undefined) return ofRule(own);
    const from = serving(rules, position, today)[0]?.rules ?? TEMPLATES.recommended;
    return { kind: 'new', key: `new POSITION ${named}`, draft: { ...newDraft('POSITION', '', from), ruleId: named }, because: 'position' };
  }
  if (asked.symbol !== null) {
    const held = positions.find(({ symbol }) => symbol === asked.symbol);
    return ofSymbol(asked.symbol, held ?? { symbol: asked.symbol, strategy_id: '' }, rules, today, null);
  }
  if (asked.isNew) return { kind: 'new', key: 'new', draft: newDraft('SYMBOL', '', TEMPLATES.recommended), because: null };
  const first = rules.find(({ scope, is_active }) => scope === 'DEFAULT' && is_active) ?? rules[0];
  return first === undefined ? { kind: 'none', why: 'nothing' } : ofRule(first);
}
