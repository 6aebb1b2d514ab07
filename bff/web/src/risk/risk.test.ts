import { describe, expect, it } from 'vitest';

import { bodyOf, draftOf, faultsOf, isLooser, seoulInstant, type Draft } from './draft';
import { levelOf, ownSymbol, usagesOf, weightsOf, type Limits, type Report } from './risk';

const LIMITS: Limits = {
  profile: 'DEFAULT',
  limits: {
    positions_max: 15,
    single_max_pct: 15,
    sector_max_pct: 40,
    market_max_pct: 100,
    daily_loss_max_pct: 3,
    total_loss_max_pct: 10,
    active_from: '2026-01-01T00:00:00+09:00',
  },
  version: 3,
  updated_by: 'me',
  updated_ts: '2026-01-01T00:00:00+09:00',
};

const REPORT = {
  positions: 10,
  largest_weight: 4.65,
  largest_symbol: '105560',
  sector_weights: { '(000660)': 4.38, 은행: 4.65 },
  market_weights: { KOSPI: 37.38 },
  day_result_pct: -0.12,
  total_result_pct: null,
  usages: { TOTAL_POSITIONS: 66.66, SINGLE_WEIGHT: 31.06 },
} as unknown as Report;

describe('usage', () => {
  it('has the level of the domain at its bounds', () => {
    expect([69.99, 70, 84.99, 85, 95, 95.01, null].map(levelOf)).toEqual(['GREEN', 'YELLOW', 'YELLOW', 'ORANGE', 'ORANGE', 'RED', 'RED']);
  });

  it('puts every limit beside what is used of it', () => {
    const rows = usagesOf(REPORT, LIMITS.limits);
    expect(rows[0]).toEqual({ check: 'TOTAL_POSITIONS', now: 10, of: null, limit: 15, usage: 66.66, isOpen: false });
    expect(rows[2]).toMatchObject({ now: 4.65, of: '은행', limit: 40, usage: null });
    expect(rows[3]).toMatchObject({ now: 37.38, of: 'KOSPI', isOpen: true });
    expect(rows[5]).toMatchObject({ now: null, limit: 10 });
    expect(usagesOf(undefined, null).every(({ now, limit }) => now === null && limit === null)).toBe(true);
  });

  it('orders weights, what is not known first', () => {
    expect(weightsOf({ a: 1, b: null, c: 3 })).toEqual([
      { name: 'b', weight: null },
      { name: 'c', weight: 3 },
      { name: 'a', weight: 1 },
    ]);
    expect([ownSymbol('(005930)'), ownSymbol('은행')]).toEqual(['005930', null]);
  });
});

describe('a draft of limits', () => {
  const draft: Draft = { ...draftOf(LIMITS), reason: 'calm' };

  it('is sound as it stands, and says what is wrong with each field', () => {
    expect(faultsOf(draft, 0)).toEqual({});
    const broken = { ...draft, positions_max: '-1', single_max_pct: '0', sector_max_pct: '100.1', daily_loss_max_pct: '1.23456', reason: ' ', active_to: '2026-01-01T09:00' };
    expect(faultsOf(broken, Date.parse('2026-01-01T00:00:00Z'))).toEqual({
      positions_max: 'whole',
      single_max_pct: 'percent',
      sector_max_pct: 'percent',
      daily_loss_max_pct: 'percent',
      reason: 'required',
      active_to: 'past',
    });
  });

  it('knows when it lets more through', () => {
    expect(isLooser(draft, LIMITS.limits)).toBe(false);
    expect(isLooser({ ...draft, daily_loss_max_pct: '3.1' }, LIMITS.limits)).toBe(true);
    expect(isLooser({ ...draft, daily_loss_max_pct: '2' }, LIMITS.limits)).toBe(false);
  });

  it('is sent with the version it was made from, and an end in Seoul time', () => {
    expect(bodyOf({ ...draft, active_to: '2026-03-02T09:30' }, 3, 'me')).toEqual({
      profile: 'DEFAULT',
      positions_max: 15,
      single_max_pct: 15,
      sector_max_pct: 40,
      market_max_pct: 100,
      daily_loss_max_pct: 3,
      total_loss_max_pct: 10,
      active_to: '2026-03-02T00:30:00.000Z',
      version: 3,
      reason: 'calm',
      updated_by: 'me',
    });
    expect(bodyOf(draft, 3, undefined)).not.toHaveProperty('active_to');
    expect(seoulInstant('tomorrow')).toBeNull();
  });
});
