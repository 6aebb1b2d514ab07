import { describe, expect, it } from 'vitest';

import { marksOf, placed, scaleOf } from './marks';
import { TEMPLATES } from './templates';

describe('the ladder', () => {
  it('has a mark for what is on, from loss to gain', () => {
    const marks = marksOf({ ...TEMPLATES.recommended, custom: [{ id: 'lock', pnl: 0.04, qty: 0.2 }, { id: 'off', enabled: false, pnl: 0.04, qty: 0.2 }] });
    expect(marks.map(({ label }) => label)).toEqual(['HARD', 'SL2', 'SL1', 'FLOOR', 'lock', 'TP1', 'TP2', 'TP3']);
    expect(marksOf({ sl1: { pnl: -0.03 }, tp1: { pnl: 'x' } })).toEqual([]);
  });

  it('shows how far volatility may move a threshold, within its bounds', () => {
    const [mark] = marksOf({ atr: { ref: 0.02, factor_min: 0.5, factor_max: 3 }, sl1: { pnl: -0.03, min: -0.02, max: -0.06, qty: 0.5 } });
    expect(mark?.range).toEqual([-0.02, -0.06]);
  });

  it('keeps labels apart', () => {
    const marks = marksOf(TEMPLATES.recommended);
    const scale = scaleOf(marks, 600, 20);
    const shown = placed(marks, scale, 60);
    for (const a of shown) {
      for (const b of shown) {
        if (a !== b && a.row === b.row) expect(Math.abs(a.x - b.x)).toBeGreaterThanOrEqual(59.999);
      }
    }
    expect(scale.x(-1)).toBe(20);
    expect(scale.x(1)).toBe(580);
    expect(scale.ticks.some((tick) => Math.abs(tick) < 1e-9)).toBe(true);
  });
});
