import { describe, expect, it } from 'vitest';

import { nameOf, summaryOf, valueText } from './describe';
import { isOnForm, judge } from './judge';
import { draftOf, type ExitRule } from './draft';
import { openOf } from './open';
import { TEMPLATES } from './templates';
import { FIELD_TEXT, SECTION_TEXT } from './words';

const words = { fields: FIELD_TEXT.en, sections: SECTION_TEXT.en };
const TODAY = '2026-11-24';
const NOTHING = { rule: null, isNew: false, symbol: null, position: null };

const rule = (rule_id: string, more: Partial<ExitRule> = {}): ExitRule => ({
  rule_id,
  scope: 'DEFAULT',
  name: rule_id,
  rules: TEMPLATES.recommended,
  version: 1,
  is_active: true,
  created_by: 'a',
  created_ts: '2026-11-24T10:00:00+09:00',
  updated_ts: '2026-11-24T10:00:00+09:00',
  ...more,
});

describe('rules in words', () => {
  it('fit a line', () => {
    const summary = (rules: object) => summaryOf(rules as never, (count) => `${count} custom`, 'nothing');
    expect(summary(TEMPLATES.recommended)).toBe('Hard −7 % · SL −3/−5 % · TP +7/+10/+15 % · Trail 3 %');
    expect(summary({ ...TEMPLATES.hybrid, custom: [{ id: 'a' }] })).toContain('Time 10 d · ATR · 1 custom');
    expect(summary({ sl1: { pnl: -0.03 } })).toBe('nothing');
  });

  it('name what differs and read in its unit', () => {
    expect(nameOf({ section: 'sl1', customId: null, field: 'pnl', before: 0, after: 0 }, words)).toBe('Stop 1 · Return');
    expect(nameOf({ section: 'custom', customId: 'x', field: null, before: 0, after: 0 }, words)).toBe('Custom rule x');
    expect(valueText('sl1', 'pnl', -0.031, words)).toBe('−3.1 %');
    expect(valueText('time', 'max_hold_days', 10, words)).toBe('10 days');
    expect(valueText('trail', 'atr_k', 2.3, words)).toBe('2.3 ×');
    expect(valueText('tp3', 'start_trailing', false, words)).toBe('off');
    expect(valueText('sl1', null, undefined, words)).toBe('off');
    expect(valueText('sl1', null, { pnl: -0.03, qty: 0.5 }, words)).toBe('Return −3 %, Sells 50 %');
    expect(valueText('custom', null, { id: 'x', enabled: true, pnl: 0.04 }, words)).toBe('Return 4 %');
    expect(valueText('odd', 'key', [1], words)).toBe('[1]');
  });
});

describe('the judgement of a draft', () => {
  const position = { symbol: '000001', strategy_id: 'A' };
  const rules = [rule('base'), rule('of-one', { scope: 'SYMBOL', scope_key: '000001' })];

  it('says whom it serves, and to what they fall when it ends', () => {
    const draft = draftOf(rules[1] ?? rule('x'));
    expect(judge(draft, rules[1] ?? null, rules, [position], TODAY)).toMatchObject({ served: [position], replaced: rules[0], isChanged: false, question: null });
    const off = judge({ ...draft, isActive: false }, rules[1] ?? null, rules, [position], TODAY);
    expect(off.served).toEqual([]);
    expect([...off.fallbacks]).toEqual([['base', 1]]);
    expect(off.question).toBeNull();
    const base = rules[0] ?? rule('base');
    const unguarded = judge({ ...draftOf(base), isActive: false }, base, [base], [position], TODAY);
    expect([...unguarded.fallbacks]).toEqual([[null, 1]]);
  });

  it('knows which faults have a field', () => {
    for (const path of ['sl1', 'sl1.pnl', 'custom', 'custom[2].qty']) expect(isOnForm(path), path).toBe(true);
    for (const path of ['rules', 'x', 'sl1.x', 'custom[0]', 'custom[0].enabled']) expect(isOnForm(path), path).toBe(false);
  });
});

describe('what the address opens', () => {
  const live = { position_id: 'p', symbol: '000001', strategy_id: 'A', exit_profile_id: null as string | null };
  const rules = [rule('base'), rule('of-a', { scope: 'STRATEGY', scope_key: 'A', rules: { sl2: { pnl: -0.05 } } })];
  const opened = (asked: object, positions = [live]) => openOf({ ...NOTHING, ...asked }, rules, positions, TODAY);

  it('is a rule, the default one without a wish', () => {
    expect(opened({ rule: 'of-a' })).toMatchObject({ kind: 'rule', key: 'of-a' });
    expect(opened({})).toMatchObject({ kind: 'rule', key: 'base' });
    expect(opened({ rule: 'x' })).toEqual({ kind: 'none', why: 'gone' });
    expect(openOf(NOTHING, [], [], TODAY)).toEqual({ kind: 'none', why: 'nothing' });
  });

  it('is an override that begins as what serves now', () => {
    expect(opened({ symbol: '000001' })).toMatchObject({ kind: 'new', draft: { scope: 'SYMBOL', scopeKey: '000001', rules: { sl2: { pnl: -0.05 } } } });
    expect(opened({ position: 'p' })).toMatchObject({ kind: 'new', because: 'symbol', draft: { scope: 'SYMBOL' } });
    expect(opened({ position: 'gone' })).toEqual({ kind: 'none', why: 'closed' });
  });

  it('is the rule that a position names, or that one made anew', () => {
    expect(opened({ position: 'p' }, [{ ...live, exit_profile_id: 'of-a' }])).toMatchObject({ kind: 'rule', key: 'of-a' });
    expect(opened({ position: 'p' }, [{ ...live, exit_profile_id: 'own' }])).toMatchObject({ kind: 'new', because: 'position', draft: { ruleId: 'own', scope: 'POSITION' } });
  });
});
