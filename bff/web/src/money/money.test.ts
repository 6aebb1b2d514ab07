import { describe, expect, it } from 'vitest';

import { divideHalfEven, scaled, unitsOf } from './decimal';
import {
  basisPointsOfPercent,
  formatBasisPoints,
  formatPrice,
  formatQty,
  formatSignedPrice,
  formatSignedWon,
  formatWon,
  isLarge,
  UNKNOWN,
} from './format';
import { evaluationPrice, total, unrealised, type Unrealised } from './pnl';

function pnlOf(qty: number, average: number, last: number, bid?: number): Unrealised {
  const result = unrealised(qty, average, evaluationPrice(last, bid));
  if (result === null) throw new Error('all figures are given');
  return result;
}

describe('decimals', () => {
  it('keep every digit the server wrote', () => {
    expect(unitsOf(71666.67)).toBe(716_666_700n);
    expect(unitsOf(0.1)).toBe(1_000n);
    expect(unitsOf(99_999_999_999.9999)).toBe(999_999_999_999_999n);
    expect(unitsOf(-1234.5)).toBe(-12_345_000n);
    expect(unitsOf(0)).toBe(0n);
  });

  it('read numbers that print with an exponent', () => {
    expect(unitsOf(1e21)).toBe(10n ** 25n);
    expect(unitsOf(1.5e-7)).toBe(0n);
    expect(scaled(2.5e-7, 8)).toBe(25n);
  });

  it('round half to even beyond their places', () => {
    expect(scaled(0.00005, 4)).toBe(0n);
    expect(scaled(0.00015, 4)).toBe(2n);
    expect(scaled(-0.00015, 4)).toBe(-2n);
    expect(divideHalfEven(5n, 2n)).toBe(2n);
    expect(divideHalfEven(-7n, 2n)).toBe(-4n);
    expect(divideHalfEven(7n, -2n)).toBe(-4n);
  });

  it('are unknown where there is no number', () => {
    for (const value of [null, undefined, NaN, Infinity]) expect(unitsOf(value)).toBeNull();
  });
});

describe('unrealised profit and loss', () => {
  it('is exact where binary floats are not', () => {
    // As doubles: (0.3 - 0.1) * 3 is 0.6000000000000001 or worse.
    expect(pnlOf(3, 0.1, 0.3).pnl).toBe(6_000n);
    // Worked case 3 of the decision contract: +1.16 %.
    const addOn = pnlOf(3, 71666.67, 72500);
    expect(addOn.pnl).toBe(24_999_900n);
    expect(formatBasisPoints(addOn.returnBasisPoints)).toBe('+1.16 %');
  });

  it('uses the bid where there is one, else the last price', () => {
    expect(pnlOf(10, 100, 107, 106).pnl).toBe(600_000n);
    expect(pnlOf(10, 100, 107, 0).pnl).toBe(700_000n);
    expect(evaluationPrice(null, null)).toBeNull();
  });

  it('stays exact beyond the range of safe doubles', () => {
    expect(pnlOf(9_007_199_254_740_991, 1, 1.0001).pnl).toBe(9_007_199_254_740_991n);
  });

  it('has no return without a cost and no value without a price', () => {
    expect(pnlOf(10, 0, 100).returnBasisPoints).toBeNull();
    expect(unrealised(10, 100, null)).toBeNull();
  });

  it('adds up to the sum of its parts, weighted by cost', () => {
    const sum = total([pnlOf(1, 100, 110), pnlOf(1, 300, 290)]);
    expect(sum.pnl).toBe(0n);
    expect(sum.value).toBe(4_000_000n);
    expect(sum.returnBasisPoints).toBe(0n);
    expect(total([]).returnBasisPoints).toBeNull();
  });
});

describe('figures', () => {
  it('group thousands and drop trailing zeros', () => {
    expect(formatPrice(unitsOf(1234567.5))).toBe('1,234,567.5');
    expect(formatPrice(unitsOf(100))).toBe('100');
    expect(formatPrice(unitsOf(0))).toBe('0');
    expect(formatPrice(unitsOf(71666.67))).toBe('71,666.67');
    expect(formatQty(1200)).toBe('1,200');
    expect(formatQty(null)).toBe(UNKNOWN);
  });

  it('carry their sign, zero carries none', () => {
    expect(formatSignedPrice(unitsOf(1500))).toBe('+1,500');
    expect(formatSignedPrice(unitsOf(-0.5))).toBe('−0.5');
    expect(formatSignedPrice(0n)).toBe('0');
    expect(formatSignedWon(unitsOf(2499.99))).toBe('+2,500');
    expect(formatSignedWon(unitsOf(-1234567.5))).toBe('−1,234,568');
    expect(formatSignedWon(unitsOf(-0.4))).toBe('0');
    expect(formatWon(unitsOf(725000))).toBe('725,000');
    expect(formatBasisPoints(-29_99n)).toBe('−29.99 %');
    expect(formatBasisPoints(null)).toBe(UNKNOWN);
  });

  it('stand out from 5 % either way', () => {
    expect(isLarge(basisPointsOfPercent(5))).toBe(true);
    expect(isLarge(basisPointsOfPercent(-5))).toBe(true);
    expect(isLarge(basisPointsOfPercent(4.99))).toBe(false);
    expect(isLarge(null)).toBe(false);
  });
});
