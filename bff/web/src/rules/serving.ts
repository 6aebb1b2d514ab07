/** Which rule serves whom, by the rules that are stored (the engine's choice: `dataflows/src/exit/choice.rs`). */

export const SCOPES = ['POSITION', 'SYMBOL', 'STRATEGY', 'DEFAULT'] as const;

export type Scope = (typeof SCOPES)[number];

/** What of a rule decides whom it serves. */
export interface Candidate {
  rule_id: string;
  scope: string;
  scope_key?: string | null | undefined;
  is_active: boolean;
  effective_from?: string | null | undefined;
}

/** What of a position chooses its rule. */
export interface Chooser {
  symbol: string;
  strategy_id: string;
  exit_profile_id?: string | null | undefined;
}

function levelOf(rule: Candidate, by: Chooser): Scope | null {
  if (by.exit_profile_id != null && rule.rule_id === by.exit_profile_id) return 'POSITION';
  if (rule.scope === 'SYMBOL') return rule.scope_key === by.symbol ? 'SYMBOL' : null;
  if (rule.scope === 'STRATEGY') return rule.scope_key === by.strategy_id ? 'STRATEGY' : null;
  return rule.scope === 'DEFAULT' ? 'DEFAULT' : null;
}

/** Whether a rule is in force on `today`, a date in Seoul. */
export function isInForce(rule: Candidate, today: string): boolean {
  return rule.is_active && (rule.effective_from == null || rule.effective_from <= today);
}

/** Returns the rules that would serve, the one that does first; the others would follow it in this order. */
export function serving<R extends Candidate>(rules: readonly R[], by: Chooser, today: string): R[] {
  const found: { level: number; rule: R }[] = [];
  for (const rule of rules) {
    const level = isInForce(rule, today) ? levelOf(rule, by) : null;
    if (level !== null) found.push({ level: SCOPES.indexOf(level), rule });
  }
  found.sort((a, b) => a.level - b.level || (a.rule.rule_id < b.rule.rule_id ? -1 : 1));
  return found.map(({ rule }) => rule);
}

/** Returns the date in Seoul. */
export function seoulDate(nowMs: number): string {
  return new Date(nowMs + 9 * 3_600_000).toISOString().slice(0, 10);
}
