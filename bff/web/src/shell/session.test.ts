import { describe, expect, it } from 'vitest';

import { phaseAt, seoulDay } from './session';

const seoul = (time: string) => Date.parse(`2026-11-24T${time}+09:00`);

describe('the market clock', () => {
  it.each([
    ['00:00:00', 'CLOSED', 'PRE_OPEN', 8 * 3600],
    ['07:59:59', 'CLOSED', 'PRE_OPEN', 1],
    ['08:00:00', 'PRE_OPEN', 'OPENING', 1800],
    ['08:30:00', 'OPENING', 'REGULAR', 1800],
    ['08:59:59.999', 'OPENING', 'REGULAR', 1],
    ['09:00:00', 'REGULAR', 'CLOSING', 6 * 3600 + 1200],
    ['15:19:59', 'REGULAR', 'CLOSING', 1],
    ['15:20:00', 'CLOSING', 'AFTER', 600],
    ['15:30:00', 'AFTER', 'CLOSED', 9000],
    ['18:00:00', 'CLOSED', null, 0],
    ['23:59:59', 'CLOSED', null, 0],
  ])('at %s is %s', (time, phase, next, seconds) => {
    expect(phaseAt(seoul(time), true)).toEqual({ phase, next, seconds, time: time.slice(0, 8) });
  });

  it('tells a holiday from a day that the calendar does not know', () => {
    expect(phaseAt(seoul('10:00:00'), false)).toMatchObject({ phase: 'HOLIDAY', next: null, time: '10:00:00' });
    expect(phaseAt(seoul('10:00:00'), undefined).phase).toBe('UNKNOWN');
  });

  it('changes its day at midnight in Seoul', () => {
    expect(seoulDay(Date.parse('2026-11-24T14:59:59Z'))).toBe('2026-11-24');
    expect(seoulDay(Date.parse('2026-11-24T15:00:00Z'))).toBe('2026-11-25');
  });
});
