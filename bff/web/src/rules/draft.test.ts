import { describe, expect, it } from 'vitest';

import { remarksOn } from './advice';
import { bodyOf, changesOf, draftOf, headFlawsOf, isOvertaken, newDraft, questionOf, type ExitRule } from './draft';
import { differences } from './diff';
import { serving } from './serving';
import { TEMPLATES } from './templates';
import { flawsOf } from './validate';

const rule = (rule_id: string, more: Partial<ExitRule> = {}): ExitRule => ({
  rule_id,
  scope: 'DEFAULT',
  scope_key: null,
  name: rule_id,
  description: null,
  rules: {},
  version: 1,
  is_active: true,
  effective_from: null,
  reason: null,
  created_by: 'a',
  updated_by: null,
  created_ts: '2026-11-24T10:00:00+09:00',
  updated_ts: '2026-11-24T10:00:00+09:00',
  ...more,
});

const TODAY = '2026-11-24';

describe('the rule that serves', () => {
  const rules = [
    rule('base'),
    rule('of-a', { scope: 'STRATEGY', scope_key: 'A' }),
    rule('of-one', { scope: 'SYMBOL', scope_key: '000001' }),
    rule('own', { scope: 'POSITION' }),
  ];
  const ids = (symbol: string, strategy_id: string, exit_profile_id: string | null, among = rules) =>
    serving(among, { symbol, strategy_id, exit_profile_id }, TODAY).map(({ rule_id }) => rule_id);

  it('is the most specific one, and the others follow', () => {
    expect(ids('000001', 'A', 'own')).toEqual(['own', 'of-one', 'of-a', 'base']);
    expect(ids('000001', 'A', null)).toEqual(['of-one', 'of-a', 'base']);
    expect(ids('000001', 'A', 'gone')).toEqual(['of-one', 'of-a', 'base']);
    expect(ids('000002', 'B', null)).toEqual(['base']);
    expect(ids('000001', 'A', 'base')).toEqual(['base', 'of-one', 'of-a']);
    expect(ids('000001', 'A', null, [rule('b'), rule('a')])).toEqual(['a', 'b']);
  });

  it('is active and in force', () => {
    const among = [rule('off', { is_active: false }), rule('later', { effective_from: '2026-11-25' }), rule('now', { effective_from: TODAY })];
    expect(ids('000001', 'A', null, among)).toEqual(['now']);
  });
});

describe('differences', () => {
  it('name each field, and a section that came or went once', () => {
    const before = { sl1: { pnl: -0.03, qty: 0.5 }, tp2: { pnl: 0.1 }, custom: [{ id: 'a', pnl: 0.04 }] };
    const after = { sl1: { pnl: -0.025, qty: 0.5 }, trail: { pct: 0.03 }, custom: [{ id: 'b', pnl: 0.01 }, { id: 'a', pnl: 0.05 }] };
    const said = differences(before, after).map(({ section, customId, field }) => [section, customId, field].filter(Boolean).join('.'));
    expect(said).toEqual(['sl1.pnl', 'tp2', 'trail', 'custom.a.pnl', 'custom.b']);
    expect(differences(after, after)).toEqual([]);
  });
});

describe('a draft', () => {
  it('changes nothing until it does', () => {
    const stored = rule('base', { rules: { sl1: { pnl: -0.03 } } });
    const draft = draftOf(stored);
    expect(changesOf(draft, stored).count).toBe(0);
    expect(changesOf({ ...draft, name: 'x', rules: {} }, stored).count).toBe(2);
    expect(bodyOf(draft, ' why ')).toEqual({ scope: 'DEFAULT', name: 'base', version: 1, rules: stored.rules, is_active: true, reason: 'why' });
  });

  it('is overtaken by a later save only', () => {
    const draft = draftOf(rule('base'));
    expect(isOvertaken(draft, rule('base'))).toBe(false);
    expect(isOvertaken(draft, rule('base', { updated_ts: '2026-11-24T10:00:00.000001+09:00' }))).toBe(true);
    expect(isOvertaken(draft, rule('base', { updated_ts: '2026-11-24T09:00:00+09:00' }))).toBe(false);
  });

  it('needs a free id and a scope that nobody serves', () => {
    const stored = [rule('base'), rule('symbol-000001', { scope: 'SYMBOL', scope_key: '000001' })];
    expect(headFlawsOf(newDraft('SYMBOL', '000001', {}), stored)).toEqual({ ruleId: 'taken', scopeKey: 'served' });
    expect(headFlawsOf(newDraft('SYMBOL', '', {}), stored)).toEqual({ ruleId: 'id', scopeKey: 'symbol' });
    expect(headFlawsOf({ ...newDraft('DEFAULT', '', {}), ruleId: 'b' }, stored)).toEqual({ scope: 'served' });
    expect(headFlawsOf({ ...newDraft('DEFAULT', '', {}), ruleId: 'b', isActive: false }, stored)).toEqual({});
    expect(headFlawsOf(newDraft('STRATEGY', 'B', {}), stored)).toEqual({});
    expect(headFlawsOf(draftOf(stored[0] ?? rule('base')), stored)).toEqual({});
  });

  it('asks only for a rule that would serve', () => {
    const draft = newDraft('SYMBOL', '000001', {});
    expect(questionOf(draft, TODAY)).toEqual({ rule_id: 'symbol-000001', scope: 'SYMBOL', scope_key: '000001', rules: {} });
    expect(questionOf({ ...draft, isActive: false }, TODAY)).toBeNull();
    expect(questionOf({ ...draft, effectiveFrom: '2026-11-25' }, TODAY)).toBeNull();
  });
});

describe('remarks', () => {
  const kinds = (rules: object) => remarksOn(rules as never).map(({ kind }) => kind);

  it('find what was hardly meant', () => {
    expect(kinds({})).toEqual(['nothing']);
    expect(kinds({ sl1: { pnl: -0.06, qty: 0.5 }, sl2: { pnl: -0.05 } })).toEqual(['noHardStop', 'sl1BelowSl2']);
    expect(kinds({ hard_stop: { pnl: -0.04 }, sl2: { pnl: -0.05 } })).toEqual(['sl2BelowHard']);
    expect(kinds({ hard_stop: { pnl: -0.04 }, tp1: { pnl: 0.1, qty: 0.1, floor: 0.2 }, tp2: { pnl: 0.05, qty: 0.1 } })).toEqual([
      'takeProfitOrder',
      'floorAboveTp1',
    ]);
    expect(kinds({ hard_stop: { pnl: -0.04 }, sl1: { pnl: -0.03 } })).toEqual(['noEffect']);
    expect(kinds({ hard_stop: { pnl: -0.04 }, trail: { pct: 0.03, qty: 0.5 } })).toEqual(['trailNeverStarts']);
  });

  it('find nothing in the templates, which the server takes', () => {
    for (const [id, rules] of Object.entries(TEMPLATES)) {
      expect(flawsOf(rules), id).toEqual([]);
      if (id !== 'empty') expect(kinds(rules), id).toEqual([]);
    }
  });
});
