import { describe, expect, it } from 'vitest';

import { alertAt, moveTo, nearness } from './alert';
import { typedPrice } from './typed';

const above = { alert_enabled: true, alert_price: 110, alert_condition: 'ABOVE' };
const below = { alert_enabled: true, alert_price: 90.5, alert_condition: 'BELOW' };

describe('an alert', () => {
  it('is reached at its price and beyond, on its side', () => {
    expect(alertAt(above, 109.9999).state).toBe('waiting');
    expect(alertAt(above, 110).state).toBe('reached');
    expect(alertAt(above, 111).state).toBe('reached');
    expect(alertAt(below, 90.5001).state).toBe('waiting');
    expect(alertAt(below, 90.5).state).toBe('reached');
  });

  it('tells the move that is missing', () => {
    expect(alertAt(above, 100)).toEqual({ state: 'waiting', gap: 1_000n });
    expect(alertAt(below, 100)).toEqual({ state: 'waiting', gap: -950n });
  });

  it('that is off or has no price waits for nothing', () => {
    expect(alertAt({ ...above, alert_enabled: false }, 120).state).toBe('off');
    expect(alertAt({ alert_enabled: false }, 120)).toEqual({ state: 'none', gap: null });
    expect(alertAt(above, null)).toEqual({ state: 'waiting', gap: null });
  });

  it('comes before others the nearer it is, a reached one first', () => {
    expect(nearness(alertAt(above, 120))).toBe(-1n);
    expect(nearness(alertAt(below, 100))).toBe(950n);
    expect(nearness(alertAt({ ...above, alert_enabled: false }, 100))).toBeNull();
  });
});

it('a move is of the price it starts from', () => {
  expect(moveTo(1_000_000n, 1_250_000n)).toBe(2_500n);
  expect(moveTo(0n, 1n)).toBeNull();
});

describe('a typed price', () => {
  it('is taken with or without separators', () => {
    expect(typedPrice(' 71,500.25 ')).toBe(71_500.25);
    expect(typedPrice('71500')).toBe(71_500);
  });

  it('is nothing where nothing is typed, and damaged where it is no amount', () => {
    expect(typedPrice('  ')).toBeNull();
    expect(typedPrice('7e3')).toBeUndefined();
    expect(typedPrice('-5')).toBeUndefined();
    expect(typedPrice('1.23456')).toBeUndefined();
    expect(typedPrice('0')).toBeUndefined();
  });
});
