import { describe, expect, it } from 'vitest';

import { formatTime, isBefore, microsOf } from './instant';

const NOON_UTC = Date.parse('2026-11-24T12:00:00Z');

describe('times', () => {
  it('are exact to the microsecond, whatever their zone', () => {
    expect(microsOf('1970-01-01T09:00:00.000001+09:00')).toBe(1n);
    expect(microsOf('2026-11-24T01:00:00Z')).toBe(microsOf('2026-11-24T10:00:00.000000999+09:00'));
    expect(isBefore('2026-11-24T10:00:00.1+09:00', '2026-11-24T10:00:00.100001+09:00')).toBe(true);
  });

  it('that are missing or damaged lie before every other', () => {
    expect(microsOf('2026-11-24 10:00')).toBeNull();
    expect(isBefore(null, '2026-11-24T10:00:00Z')).toBe(true);
    expect(isBefore('2026-11-24T10:00:00Z', undefined)).toBe(false);
    expect(formatTime('soon', NOON_UTC)).toBe('–');
  });

  it('read in Seoul time, with the date on another Seoul day', () => {
    expect(formatTime('2026-11-24T00:00:05Z', NOON_UTC)).toBe('09:00:05');
    expect(formatTime('2026-11-23T15:00:00Z', NOON_UTC)).toBe('00:00:00');
    expect(formatTime('2026-11-23T14:59:59Z', NOON_UTC)).toBe('11-23 23:59:59');
  });
});
