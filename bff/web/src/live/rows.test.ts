import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { order } from './fake';
import { TOPICS } from './messages';
import { Rows } from './rows';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const made = () => new Rows(TOPICS.orders, () => Date.now());
const shown = () => vi.advanceTimersByTimeAsync(200);
const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
const at = (second: number, fraction = '') => `2026-11-24T10:00:0${second}${fraction}+09:00`;

describe('rows', () => {
  it('come newest first, to the microsecond and across zones', async () => {
    const rows = made();
    rows.snapshot([
      order({ order_id: id(1), created_ts: at(1, '.000001') }),
      order({ order_id: id(2), created_ts: '2026-11-24T01:00:01.000002Z' }),
      order({ order_id: id(3), created_ts: at(0) }),
    ]);
    await shown();
    expect(rows.now().map((row) => row.order_id)).toEqual([id(2), id(1), id(3)]);
  });

  it('change by their key and go', async () => {
    const rows = made();
    rows.snapshot([order({ order_id: id(1) }), order({ order_id: id(2) })]);
    rows.change([order({ order_id: id(1), status: 'FILLED' })], [id(2)]);
    await shown();
    expect(rows.now()).toMatchObject([{ order_id: id(1), status: 'FILLED' }]);
  });

  it('settle on the row that a change returned, unless a later one is known', async () => {
    const rows = made();
    rows.snapshot([order({ status: 'PENDING_APPROVAL', updated_ts: at(1) })]);
    rows.settle(order({ status: 'NEW', updated_ts: at(2) }) as never);
    await shown();
    expect(rows.now()[0]?.status).toBe('NEW');
    rows.change([order({ status: 'FILLED', updated_ts: at(3) })], []);
    rows.settle(order({ status: 'NEW', updated_ts: at(2) }) as never);
    await shown();
    expect(rows.now()[0]?.status).toBe('FILLED');
  });

  it('leave out what cannot be read, and say so', async () => {
    const complaint = vi.spyOn(console, 'error').mockImplementation(() => {});
    const rows = made();
    rows.snapshot([order({ order_id: id(1) }), order({ order_id: id(2), qty: 'many' }), null]);
    await shown();
    expect(rows.now().map((row) => row.order_id)).toEqual([id(1)]);
    expect(complaint).toHaveBeenCalledTimes(2);
    complaint.mockRestore();
  });

  it('are not known before the first snapshot, and tell a burst at most ten times a second', async () => {
    const rows = made();
    let told = 0;
    rows.listen(() => (told += 1));
    expect(rows.isReady).toBe(false);
    rows.snapshot([]);
    expect(rows.isReady).toBe(true);
    for (let i = 0; i < 100; i += 1) {
      rows.change([order({ filled_qty: i })], []);
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(told).toBeLessThanOrEqual(11);
    await shown();
    expect(rows.now()[0]?.filled_qty).toBe(99);
  });
});
