import { describe, expect, it } from 'vitest';

import { draftOf, type ExitRule } from './draft';
import { rebased } from './rebase';

const stored = (version: number, name: string, rules: ExitRule['rules']): ExitRule => ({
  rule_id: 'a',
  scope: 'DEFAULT',
  name,
  rules,
  version,
  is_active: true,
  created_by: 'a',
  created_ts: '2026-11-24T10:00:00+09:00',
  updated_ts: `2026-11-24T10:00:0${version}+09:00`,
});

describe('a draft on what somebody else has saved', () => {
  it('keeps theirs and puts mine on it', () => {
    const base = stored(1, 'a', { sl1: { pnl: -0.03, qty: 0.5 }, tp2: { pnl: 0.1 }, custom: [{ id: 'x', pnl: 0.01 }, { id: 'y', pnl: 0.02 }] });
    const mine = {
      ...draftOf(base),
      rules: { sl1: { pnl: -0.02, qty: 0.5 }, trail: { pct: 0.03 }, custom: [{ id: 'x', pnl: 0.05 }, { id: 'z', pnl: 0.03 }] },
    };
    const theirs = stored(2, 'b', { sl1: { pnl: -0.03, qty: 0.4 }, tp2: { pnl: 0.1 }, hard_stop: { pnl: -0.1 }, custom: base.rules.custom });
    const both = rebased(mine, theirs);
    expect(both.base).toBe(theirs);
    expect(both.name).toBe('b');
    expect(both.rules).toEqual({
      sl1: { pnl: -0.02, qty: 0.4 },
      hard_stop: { pnl: -0.1 },
      trail: { pct: 0.03 },
      custom: [{ id: 'x', pnl: 0.05 }, { id: 'z', pnl: 0.03 }],
    });
  });

  it('keeps a name of mine', () => {
    const base = stored(1, 'a', {});
    expect(rebased({ ...draftOf(base), name: 'mine' }, stored(2, 'theirs', {})).name).toBe('mine');
  });
});
