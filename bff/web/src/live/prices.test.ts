import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { BEAT_MS } from './beat';
import { tick } from './fake';
import { Prices } from './prices';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const made = () => new Prices(() => Date.now());

describe('prices', () => {
  it('move with later ticks and say which way', () => {
    const prices = made();
    prices.take([tick(), tick({ price: 70_100, logical_us: 2_000 }), tick({ price: 69_800, logical_us: 3_000 })]);
    expect(prices.get('005930')).toMatchObject({ price: 69_800, moves: 2, direction: -1, logicalUs: 3_000 });
    prices.take([tick({ price: 69_800, logical_us: 4_000 })]);
    expect(prices.get('005930'), 'unchanged it does not flash').toMatchObject({ moves: 2, direction: -1, logicalUs: 4_000 });
  });

  it('never go back to an earlier tick', () => {
    const prices = made();
    prices.take([tick({ price: 70_100, logical_us: 2_000 })]);
    prices.take([tick({ price: 1, logical_us: 1_999 })]);
    expect(prices.get('005930')).toMatchObject({ price: 70_100, logicalUs: 2_000 });
  });

  it('keep the change of the day when a tick does not carry it', () => {
    const prices = made();
    prices.take([tick(), tick({ change_rate: null, change_price: null, logical_us: 2_000 })]);
    expect(prices.get('005930')).toMatchObject({ changeRate: 0.72, changePrice: 500 });
  });

  it('grow stale and fresh again by the same tick told again', () => {
    const prices = made();
    prices.take([tick({ is_stale: true })]);
    expect(prices.get('005930')?.isStale).toBe(true);
    prices.take([tick({ logical_us: 2_000 })]);
    expect(prices.get('005930')?.isStale, 'not said: as before').toBe(true);
    prices.take([tick({ logical_us: 2_000, is_stale: false })]);
    expect(prices.get('005930')?.isStale).toBe(false);
  });

  it('are shown at once after a pause, and at most ten times a second under load', async () => {
    const prices = made();
    let shown = 0;
    const end = prices.listen('005930', () => (shown += 1));
    let others = 0;
    prices.listen('000660', () => (others += 1));
    prices.take([tick()]);
    await vi.advanceTimersByTimeAsync(1);
    expect(shown, 'the first does not wait').toBe(1);
    for (let ms = 0; ms < 5_000; ms += 4) {
      prices.take([tick({ price: 70_000 + ms, logical_us: 2_000 + ms })]);
      await vi.advanceTimersByTimeAsync(4);
    }
    expect(shown).toBeLessThanOrEqual(1 + 5_000 / BEAT_MS);
    expect(shown).toBeGreaterThan(40);
    expect(others, 'who shows another symbol hears nothing').toBe(0);
    end();
    const before = shown;
    prices.take([tick({ logical_us: 9_000_000 })]);
    await vi.advanceTimersByTimeAsync(BEAT_MS);
    expect(shown).toBe(before);
    prices.stop();
  });

  it('are the same object until they change', () => {
    const prices = made();
    prices.take([tick()]);
    const before = prices.get('005930');
    prices.take([tick({ symbol: '000660' })]);
    expect(prices.get('005930')).toBe(before);
  });
});
