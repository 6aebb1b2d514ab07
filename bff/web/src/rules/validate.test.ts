import { describe, expect, it } from 'vitest';

import { shown, textOf, valueOf } from './numbers';
import { flawsOf } from './validate';

const said = (rules: unknown) => flawsOf(rules).map(({ path, kind }) => `${path}: ${kind}`);

describe('the check of rules', () => {
  it('takes what the server takes', () => {
    expect(said({})).toEqual([]);
    expect(
      said({
        atr: { ref: 0.02, factor_min: 0.7, factor_max: 1.6 },
        hard_stop: { pnl: -0.07 },
        gap_down: { change: 0, window_s: 30 },
        sl1: { pnl: -0.03, min: -0.02, max: -0.06, qty: 0.5 },
        sl2: { pnl: -0.05, qty: 1 },
        break_even: { trigger: 0.03, buffer: 0.01 },
        tp1: { pnl: 0.07, min: 0, max: 0, qty: 0.1, floor: 0.006 },
        tp2: null,
        tp3: { pnl: 0.15, qty: 0.3, start_trailing: false },
        trail: { pct: 0.03, atr_k: 2.3, qty: 0.5 },
        time: { max_hold_days: 10, no_momentum_days: 3, no_momentum_profit: 0.02 },
        custom: [{ id: 'a', enabled: false, condition: 'profit_below', pnl: -0.02, qty: 0.2, base: 'ORIGINAL' }],
      }),
    ).toEqual([]);
  });

  it('names the path of what is wrong', () => {
    expect(
      said({
        sl1: { pnl: 0.03, qyt: 1 },
        tp1: { pnl: 0.6 },
        custom: [
          { id: 'a', condition: 'profit_above' },
          { id: 'a', condition: 'x' },
          { id: 'a', condition: 'profit_above' },
          { id: 'b:c', condition: 'profit_below', qty: 2, base: 'ALL', enabled: 1 },
        ],
        nonsense: 1,
      }),
    ).toEqual([
      'nonsense: unknown',
      'sl1.qyt: unknown',
      'sl1.pnl: stop',
      'tp1.pnl: profit',
      'custom[1].condition: condition',
      'custom[2].id: duplicate',
      'custom[3].id: id',
      'custom[3].base: base',
      'custom[3].enabled: flag',
      'custom[3].qty: share',
    ]);
  });

  it('knows the edges of each range', () => {
    expect(said({ hard_stop: { pnl: -0.5 } })).toEqual(['hard_stop.pnl: stop']);
    expect(said({ hard_stop: { pnl: -0.499999999999 } })).toEqual([]);
    expect(said({ hard_stop: { pnl: -0.0000000000001 } })).toEqual(['hard_stop.pnl: fine']);
    expect(said({ break_even: { trigger: 0.5 } })).toEqual(['break_even.trigger: profit']);
    expect(said({ trail: { atr_k: 1000, qty: 1 } })).toEqual([]);
    expect(said({ trail: { atr_k: 1000.1, qty: 1.01 } })).toEqual(['trail.qty: share', 'trail.atr_k: factor']);
    expect(said({ atr: { ref: 0.0000001 } })).toEqual(['atr.ref: factor']);
    expect(said({ time: { max_hold_days: 1.5, no_momentum_days: 100_001 } })).toEqual(['time.max_hold_days: whole', 'time.no_momentum_days: whole']);
    expect(said({ sl2: { pnl: '−' } })).toEqual(['sl2.pnl: number']);
  });

  it('holds bounds to each other', () => {
    expect(said({ sl1: { pnl: -0.03, min: -0.06, max: -0.02 } })).toEqual(['sl1.min: bounds']);
    expect(said({ sl1: { pnl: -0.03, min: -0.06, max: 0 } })).toEqual([]);
    expect(said({ atr: { factor_min: 1.2 } })).toEqual(['atr.factor_min: factors']);
  });

  it('wants objects and a list', () => {
    expect(said([])).toEqual(['rules: object']);
    expect(said({ sl1: 3, custom: {} })).toEqual(['sl1: object', 'custom: array']);
    expect(said({ custom: [1] })).toEqual(['custom[0]: object']);
  });
});

describe('numbers of a field', () => {
  it('are exact in percent', () => {
    expect(textOf(0.07, '%')).toBe('7');
    expect(textOf(-0.012, '%')).toBe('-1.2');
    expect(textOf(0.000000000001, '%')).toBe('0.0000000001');
    expect(textOf(0, '%')).toBe('0');
    expect(valueOf('-1.1', '%')).toBe(-0.011);
    expect(valueOf('0.29', '%')).toBe(0.0029);
    expect(valueOf('−3 %', '%')).toBe(-0.03);
    expect(valueOf('2.3', '×')).toBe(2.3);
    expect(valueOf('100', '%')).toBe(1);
  });

  it('are kept as text where they are none', () => {
    expect(valueOf('', '%')).toBeUndefined();
    expect(valueOf('-', '%')).toBe('-');
    expect(valueOf('3,5', '%')).toBe('3,5');
  });

  it('read with a true minus', () => {
    expect(shown(-0.03, '%')).toBe('−3 %');
    expect(shown(0.07, '%', true)).toBe('+7 %');
  });
});
