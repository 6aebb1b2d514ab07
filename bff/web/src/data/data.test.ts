import { describe, expect, it } from 'vitest';

import { tookOf } from './collections';
import { monthAfter, monthOf, weeksOf } from './month';

describe('a month', () => {
  it('is whole weeks from Monday on', () => {
    const weeks = weeksOf('2026-11');
    expect(weeks[0]).toBe('2026-10-26');
    expect(weeks.at(-1)).toBe('2026-12-06');
    expect(weeks.length % 7).toBe(0);
    expect(weeksOf('2027-02')).toHaveLength(28);
  });

  it('goes on over the end of a year', () => {
    expect(monthAfter('2026-12', 1)).toBe('2027-01');
    expect(monthAfter('2026-01', -1)).toBe('2025-12');
  });

  it('is the one of today where the address names none', () => {
    expect(monthOf('2026-02', '2026-11-29')).toBe('2026-02');
    expect(monthOf('2026-13', '2026-11-29')).toBe('2026-11');
    expect(monthOf(null, '2026-11-29')).toBe('2026-11');
  });
});

it('a run takes as long as it took', () => {
  const begin = '2026-11-24T10:00:00+09:00';
  expect(tookOf(begin, '2026-11-24T10:00:00.240+09:00')).toBe('0.2 s');
  expect(tookOf(begin, '2026-11-24T10:01:07.900+09:00')).toBe('1 m 07 s');
  expect(tookOf(begin, '2026-11-24T12:05:00+09:00')).toBe('2 h 05 m');
  expect(tookOf(begin, null)).toBeNull();
  expect(tookOf(begin, '2026-11-24T09:59:59+09:00')).toBeNull();
});
