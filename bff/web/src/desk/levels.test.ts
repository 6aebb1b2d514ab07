import { describe, expect, it } from 'vitest';

import type { LiveLevel } from '../live/levels';
import { unitsOf } from '../money/decimal';
import { distanceTo, nearestOf, placeOn, scaleOf } from './levels';

const level = (reason: string, side: string, price: number): LiveLevel => ({
  reason,
  side,
  level: price,
  rule_id: null,
  since: '2026-11-24T10:00:00+09:00',
});

describe('the bar of a position', () => {
  it('holds everything that is marked, with a margin', () => {
    const scale = scaleOf([90, 110, null, 100])!;
    expect(scale.from).toBeLessThan(90);
    expect(scale.to).toBeGreaterThan(110);
    expect(placeOn(scale, 100)).toBeCloseTo(50);
  });

  it('has a width also where everything is at one price', () => {
    const scale = scaleOf([100])!;
    expect(placeOn(scale, 100)).toBeCloseTo(50);
  });

  it('keeps a price beyond it at its end', () => {
    const scale = scaleOf([90, 110])!;
    expect(placeOn(scale, 10)).toBe(0);
    expect(placeOn(scale, 1000)).toBe(100);
  });

  it('is nothing without a mark', () => {
    expect(scaleOf([null, undefined, 0])).toBeNull();
  });
});

describe('the way to a level', () => {
  it('is counted down to a stop and up to a profit', () => {
    const price = unitsOf(100);
    expect(distanceTo(level('SL1', 'BELOW', 97), price)?.basisPoints).toBe(300n);
    expect(distanceTo(level('TP1', 'ABOVE', 107), price)?.basisPoints).toBe(700n);
  });

  it('is not above zero where the level is reached', () => {
    expect(distanceTo(level('SL1', 'BELOW', 100), unitsOf(100))?.basisPoints).toBe(0n);
    expect(distanceTo(level('TP1', 'ABOVE', 107), unitsOf(108))!.basisPoints < 0n).toBe(true);
  });

  it('is not known without a price', () => {
    expect(distanceTo(level('SL1', 'BELOW', 97), null)).toBeNull();
  });

  it('of the nearest decides', () => {
    const levels = [level('SL1', 'BELOW', 97), level('TP1', 'ABOVE', 102), level('HARDSTOP', 'BELOW', 90)];
    expect(nearestOf(levels, unitsOf(100))?.level.reason).toBe('TP1');
    expect(nearestOf([], unitsOf(100))).toBeNull();
  });
});
