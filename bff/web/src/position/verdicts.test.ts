import { describe, expect, it } from 'vitest';

import { offIn, rulesOf, sharesOf, type Profile } from './profile';
import { verdictsOf, type Level, type Order } from './verdicts';

const PROFILE: Profile = {
  hard_stop: { pnl: -0.07 },
  sl1: { pnl: -0.03, qty: 0.5 },
  sl2: { pnl: -0.05 },
  break_even: { trigger: 0.03, buffer: 0.01 },
  tp1: { pnl: 0.07, qty: 0.1, floor: 0.006 },
  tp2: { pnl: 0.1, qty: 0.2 },
  trail: { pct: 0.03, qty: 0.5 },
  time: { max_hold_days: 10, no_momentum_days: 0 },
  custom: [
    { id: 'half', condition: 'profit_above', pnl: 0.05, qty: 0.5 },
    { id: 'off', enabled: false, condition: 'profit_below', pnl: -0.02, qty: 0.5 },
  ],
};

function level(reason: string, price: number, side = 'BELOW', ruleId: string | null = null): Level {
  return { reason, rule_id: ruleId, side, level: price, distance: null, since: '2026-11-24T09:00:00+09:00' };
}

function judged(levels: Level[], phase: string, change: Partial<Parameters<typeof verdictsOf>[0]> = {}) {
  const rules = rulesOf(PROFILE);
  const facts = { rules, profile: PROFILE, levels, orders: [], phase, mode: 'RUNNING' as const, qty: 100, originalQty: 100, average: 10_000, hwm: null };
  const verdicts = verdictsOf({ ...facts, ...change });
  return Object.fromEntries(verdicts.map((verdict) => [verdict.key.trim(), verdict]));
}

describe('a profile', () => {
  it('says what is on, in the order of the engine, and what is off', () => {
    const rules = rulesOf(PROFILE);
    expect(rules.map(({ reason }) => reason)).toEqual([
      'HARDSTOP', 'SL2', 'STOP_FLOOR', 'BREAK_EVEN', 'SL1', 'CUSTOM_PROFIT', 'TP1', 'TP2', 'TRAIL_PARTIAL', 'TRAIL', 'TIME',
    ]);
    expect(offIn(rules)).toEqual(['GAP_DOWN', 'TP3']);
    expect(rulesOf({ sl1: { pnl: -0.03 }, tp1: { pnl: 0, qty: 1 } })).toEqual([]);
  });

  it('sells whole shares, rounded up, at least one and at most those held', () => {
    expect(sharesOf({ ratio: 0.1, of: 'ORIGINAL' }, 90, 30)).toBe(3);
    expect(sharesOf({ ratio: 0.1, of: 'ORIGINAL' }, 90, 31)).toBe(4);
    expect(sharesOf({ ratio: 0.01, of: 'REMAINING' }, 5, 30)).toBe(1);
    expect(sharesOf({ ratio: 0.5, of: 'ORIGINAL' }, 3, 30)).toBe(3);
  });
});

describe('verdicts', () => {
  it('wait for the rule before them, and are done after their phase', () => {
    const open = judged([level('HARDSTOP', 9_300), level('TP1', 10_700, 'ABOVE')], 'OPEN');
    expect(open.HARDSTOP).toMatchObject({ standing: 'ARMED', shares: 100, why: { code: 'PRICE' } });
    expect(open.TP1).toMatchObject({ standing: 'ARMED', shares: 10 });
    expect(open.TP2).toMatchObject({ standing: 'WAITING', why: { code: 'AFTER', reason: 'TP1' } });
    expect(open.STOP_FLOOR).toMatchObject({ why: { code: 'AFTER', reason: 'TP1' } });
    expect(open.TRAIL).toMatchObject({ why: { code: 'AFTER', reason: 'TP2' } });
    expect(open.SL1).toMatchObject({ standing: 'DONE', why: { code: 'SPENT' } });
    const trailing = judged([], 'TRAILING_ACTIVE');
    expect(trailing.TP1).toMatchObject({ standing: 'DONE', why: { code: 'PAST' } });
    expect(trailing.TRAIL).toMatchObject({ standing: 'WAITING', why: { code: 'NO_MARK' } });
    expect(trailing.TIME).toMatchObject({ standing: 'WAITING', why: { code: 'DAYS', max: 10, idle: null } });
  });

  it('say what holds back a rule whose level stands', () => {
    const levels = [level('STOP_FLOOR', 10_060), level('TP2', 11_000, 'ABOVE'), level('BREAK_EVEN', 10_100), level('SL2', 9_500)];
    const order = { reason_code: 'SL2', status: 'SUBMITTED', side: 'SELL' } as Order;
    const paused = judged(levels, 'TP1_DONE', { mode: 'PAUSE_PROFIT', orders: [order], hwm: 10_200 });
    expect(paused.STOP_FLOOR?.why).toEqual({ code: 'TWICE' });
    expect(paused.TP2?.why).toEqual({ code: 'PAUSED', mode: 'PAUSE_PROFIT' });
    expect(paused.SL2?.why).toEqual({ code: 'UNDERWAY', status: 'SUBMITTED' });
    expect(paused.BREAK_EVEN).toMatchObject({ standing: 'WAITING', why: { code: 'MARK', price: 103_000_000n } });
    const marked = judged(levels, 'OPEN', { mode: 'PAUSE_ALL', hwm: 10_300 });
    expect(marked.BREAK_EVEN?.why).toEqual({ code: 'PAUSED', mode: 'PAUSE_ALL' });
    expect(judged(levels, 'OPEN', { hwm: 10_300 }).BREAK_EVEN?.why).toEqual({ code: 'PRICE' });
  });

  it('keep a level of which the profile knows nothing', () => {
    const custom = judged([level('CUSTOM_PROFIT', 10_500, 'ABOVE', 'half'), level('NEW_RULE', 9_000)], 'OPEN');
    expect(custom['CUSTOM_PROFIT half']).toMatchObject({ shares: 50, standing: 'ARMED' });
    expect(custom.NEW_RULE).toMatchObject({ shares: null, standing: 'ARMED' });
  });
});
