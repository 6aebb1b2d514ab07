import { describe, expect, it } from 'vitest';

import { goneOn, joined, withToday, type Bar } from './bars';

function bar(time: string, open: number, high: number, low: number, close: number, volume: number): Bar {
  return { time, date: time.slice(0, 10), open, high, low, close, volume };
}

const NINE = bar('2026-11-24T09:00:00+09:00', 100, 110, 95, 105, 10);
const ONE_LATER = bar('2026-11-24T09:01:00+09:00', 105, 120, 104, 118, 20);
const DAY_BEFORE = bar('2026-11-23T00:00:00+09:00', 90, 99, 88, 98, 500);

describe('bars', () => {
  it('of minutes make the day that is under way, and no day that is known', () => {
    expect(joined([])).toBeUndefined();
    const today = bar('2026-11-24T09:00:00+09:00', 100, 120, 95, 118, 30);
    expect(withToday([DAY_BEFORE], [NINE, ONE_LATER])).toEqual([DAY_BEFORE, today]);
    expect(withToday([DAY_BEFORE, today], [NINE, ONE_LATER])).toEqual([DAY_BEFORE, today]);
  });

  it('go on with a price of their time', () => {
    const inMinute = Date.parse('2026-11-24T00:01:30Z');
    expect(goneOn(ONE_LATER, 'minute', inMinute, 99)).toEqual({ ...ONE_LATER, low: 99, close: 99 });
    expect(goneOn(DAY_BEFORE, 'day', Date.parse('2026-11-23T14:59:59Z'), 120)).toEqual({ ...DAY_BEFORE, high: 120, close: 120 });
  });

  it('begin anew with a later price, and leave out an earlier one', () => {
    const later = goneOn(ONE_LATER, 'minute', Date.parse('2026-11-24T00:02:00Z'), 130);
    expect(later).toMatchObject({ time: '2026-11-24T00:02:00.000Z', date: '2026-11-24', open: 130, close: 130, volume: 0 });
    expect(goneOn(DAY_BEFORE, 'day', Date.parse('2026-11-23T15:00:00Z'), 130)).toMatchObject({ date: '2026-11-24', open: 130 });
    expect(goneOn(ONE_LATER, 'minute', Date.parse('2026-11-24T00:00:59Z'), 130)).toBeUndefined();
    expect(goneOn(undefined, 'day', Date.parse('2026-11-24T00:00:00Z'), 7)).toMatchObject({ open: 7, close: 7 });
  });
});
