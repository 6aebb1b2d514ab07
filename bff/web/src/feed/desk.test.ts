import { describe, expect, it } from 'vitest';

import { INITIAL, reduce, type Desk, type DeskEvent } from './desk';
import type { ExitControl, Order, Position, Tick } from './messages';

const FAULT = { code: 'DB_UNAVAILABLE', message: 'no connection', requestId: 'r-1' };

function after(...events: DeskEvent[]): Desk {
  return events.reduce(reduce, INITIAL);
}

function position(change: Partial<Position> = {}): Position {
  return {
    position_id: 'p1',
    symbol: '005930',
    name: '삼성전자',
    qty: 10,
    original_qty: 10,
    avg_price: 70000,
    status: 'OPEN',
    phase: 'OPEN',
    stop_floor: null,
    strategy_id: 'MANUAL',
    exit_mode: 'ENABLED',
    exit_profile_id: null,
    cycle: 1,
    version: 1,
    entry_ts: '2026-11-24T09:00:00+09:00',
    closed_ts: null,
    ...change,
  };
}

function order(change: Partial<Order> = {}): Order {
  return {
    order_id: 'o1',
    action_key: 'p1:1:OPEN:SL1:1',
    position_id: 'p1',
    symbol: '005930',
    name: '삼성전자',
    side: 'SELL',
    intent_type: 'EXIT_PARTIAL',
    qty: 5,
    filled_qty: 0,
    order_type: 'MKT',
    limit_price: null,
    reason_code: 'SL1',
    phase: 'OPEN',
    price: 67900,
    level: 67900,
    status: 'SUBMITTED',
    broker_order_no: null,
    created_ts: '2026-11-24T10:00:00+09:00',
    updated_ts: '2026-11-24T10:00:00.100+09:00',
    ...change,
  };
}

function tick(change: Partial<Tick> = {}): Tick {
  return {
    symbol: '005930',
    price: 70000,
    bid: 69900,
    ask: 70000,
    change_price: 500,
    change_rate: 0.72,
    volume: 3,
    ts: '2026-11-24T10:00:00+09:00',
    logical_us: 1_000,
    ...change,
  };
}

const ticks = (...changes: Partial<Tick>[]): DeskEvent => ({
  type: 'ticks',
  ticks: changes.map(tick),
});
const positions = (asked: number, ...rows: Position[]): DeskEvent => ({
  type: 'listed',
  name: 'positions',
  asked,
  rows,
});
const orders = (asked: number, ...rows: Order[]): DeskEvent => ({
  type: 'listed',
  name: 'orders',
  asked,
  rows,
});
const controlled = (mode: ExitControl['mode'], updated_ts: string): DeskEvent => ({
  type: 'controlled',
  control: { mode, reason: null, updated_by: 'kim', updated_ts },
});

describe('lists', () => {
  it('take the newest answer, and rows it does not have are gone', () => {
    const desk = after(positions(1, position(), position({ position_id: 'p2' })), positions(2, position({ qty: 5, version: 2 })));
    expect(desk.lists.positions.rows).toEqual([position({ qty: 5, version: 2 })]);
  });

  it('ignore the answer of an earlier request', () => {
    const desk = after(positions(2, position({ qty: 5, version: 2 })), positions(1, position()));
    expect(desk.lists.positions.rows).toEqual([position({ qty: 5, version: 2 })]);
  });

  it('keep a position of a higher version against a late cache', () => {
    const desk = after(positions(1, position({ version: 3, qty: 4 })), positions(2, position({ version: 2 })));
    expect(desk.lists.positions.rows?.[0]).toMatchObject({ version: 3, qty: 4 });
  });

  it('take a change of status or phase that left the version alone', () => {
    const desk = after(positions(1, position()), positions(2, position({ status: 'CLOSING' })));
    expect(desk.lists.positions.rows?.[0]?.status).toBe('CLOSING');
  });

  it('never reopen a closed position of the same version', () => {
    const closed = position({ status: 'CLOSED', closed_ts: '2026-11-24T10:00:00+09:00' });
    const desk = after(positions(1, closed), positions(2, position()));
    expect(desk.lists.positions.rows?.[0]?.status).toBe('CLOSED');
  });

  it('keep an order that was updated later, to the microsecond and across zones', () => {
    const filled = order({ status: 'FILLED', filled_qty: 5, updated_ts: '2026-11-24T10:00:01.000002+09:00' });
    const old = order({ updated_ts: '2026-11-24T01:00:01.000001Z' });
    expect(after(orders(1, filled), orders(2, old)).lists.orders.rows).toEqual([filled]);
    expect(after(orders(1, old), orders(2, filled)).lists.orders.rows).toEqual([filled]);
  });

  it('never take filled quantity back at equal times', () => {
    const desk = after(orders(1, order({ filled_qty: 3 })), orders(2, order({ filled_qty: 2 })));
    expect(desk.lists.orders.rows?.[0]?.filled_qty).toBe(3);
  });

  it('keep their rows when a request fails and forget the fault when one succeeds', () => {
    const failed = after(orders(1, order()), { type: 'listFailed', name: 'orders', asked: 2, fault: FAULT });
    expect(failed.lists.orders).toMatchObject({ rows: [order()], fault: FAULT });
    expect(reduce(failed, orders(3, order())).lists.orders.fault).toBeNull();
  });

  it('ignore the failure of an earlier request', () => {
    const desk = after(orders(2, order()), { type: 'listFailed', name: 'orders', asked: 1, fault: FAULT });
    expect(desk.lists.orders.fault).toBeNull();
  });
});

describe('prices', () => {
  it('move with later ticks and say which way', () => {
    const desk = after(ticks({}), ticks({ price: 70100, logical_us: 2_000 }), ticks({ price: 69800, logical_us: 3_000 }));
    expect(desk.prices.get('005930')).toMatchObject({ price: 69800, moves: 2, direction: -1 });
  });

  it('do not flash on the first tick nor on an unchanged price', () => {
    const desk = after(ticks({}), ticks({ logical_us: 2_000 }));
    expect(desk.prices.get('005930')).toMatchObject({ moves: 0, direction: 0, logicalUs: 2_000 });
  });

  it('ignore an earlier or repeated tick, also within one message', () => {
    const first = after(ticks({ price: 70100, logical_us: 2_000 }, { price: 1, logical_us: 1_999 }));
    expect(first.prices.get('005930')?.price).toBe(70100);
    expect(reduce(first, ticks({ price: 2, logical_us: 2_000 }))).toBe(first);
  });

  it('keep the change of the day when a tick does not carry it', () => {
    const desk = after(ticks({}), ticks({ change_rate: null, change_price: null, logical_us: 2_000 }));
    expect(desk.prices.get('005930')).toMatchObject({ changeRate: 0.72, changePrice: 500 });
  });

  it('come with a position until a tick arrives', () => {
    const seeded = position({ last_price: 68000, bid: 67900, price_ts: '2026-11-24T09:59:59+09:00' });
    const desk = after(positions(1, seeded));
    expect(desk.prices.get('005930')).toMatchObject({ price: 68000, bid: 67900, changeRate: null });
    expect(reduce(desk, ticks({})).prices.get('005930')).toMatchObject({ price: 70000, moves: 1 });
  });

  it('of a tick are not replaced by those of a position', () => {
    const late = position({ last_price: 1, price_ts: '2026-11-24T10:00:00.9+09:00' });
    expect(after(ticks({}), positions(1, late)).prices.get('005930')?.price).toBe(70000);
  });
});

describe('a reconnect', () => {
  const later = position({ last_price: 71000, price_ts: '2026-11-24T10:05:00+09:00' });

  it('lets a position bring the price that the gap hid', () => {
    const desk = after(ticks({}), { type: 'opened' }, positions(1, later));
    expect(desk.prices.get('005930')).toMatchObject({ price: 71000, changeRate: null });
  });

  it('keeps a price that is later than that of the position', () => {
    const earlier = { ...later, price_ts: '2026-11-24T09:00:00+09:00' };
    const desk = after(ticks({}), { type: 'opened' }, positions(1, earlier));
    expect(desk.prices.get('005930')?.price).toBe(70000);
  });

  it('still refuses ticks from before the gap', () => {
    const desk = after(ticks({ logical_us: 5_000 }), { type: 'opened' }, positions(1, later), ticks({ price: 1, logical_us: 4_000 }));
    expect(desk.prices.get('005930')?.price).toBe(71000);
  });

  it('keeps rows on the screen while the link is away', () => {
    const desk = after(positions(1, position()), { type: 'lost', networkAway: false });
    expect(desk.lists.positions.rows).toHaveLength(1);
  });
});

describe('the link', () => {
  const heard: DeskEvent = { type: 'heard', atMs: 5, feed: 'redis' };
  const lost: DeskEvent = { type: 'lost', networkAway: false };

  it('is live from the first message on and remembers when it came', () => {
    expect(after(heard).link).toEqual({ phase: 'live', lastMessageMs: 5, feed: 'redis', failures: 0 });
    expect(after(heard, { type: 'heard', atMs: 9 }).link).toMatchObject({ lastMessageMs: 9, feed: 'redis' });
  });

  it('reconnects after a loss, is offline after three, and live again', () => {
    expect(after(lost).link.phase).toBe('connecting');
    expect(after(heard, lost).link).toMatchObject({ phase: 'reconnecting', lastMessageMs: 5 });
    expect(after(heard, lost, lost, lost).link.phase).toBe('offline');
    expect(after(heard, lost, lost, lost, heard).link).toMatchObject({ phase: 'live', failures: 0 });
  });

  it('is offline at once when the network is away', () => {
    expect(after(heard, { type: 'lost', networkAway: true }).link.phase).toBe('offline');
  });
});

describe('the control mode', () => {
  it('is never overwritten by an older row', () => {
    const paused = controlled('PAUSE_ALL', '2026-11-24T10:00:01+09:00');
    const running = controlled('RUNNING', '2026-11-24T10:00:00+09:00');
    expect(after(paused, running).control.value?.mode).toBe('PAUSE_ALL');
    expect(after(running, paused).control.value?.mode).toBe('PAUSE_ALL');
  });

  it('stays on the screen when it cannot be read', () => {
    const desk = after(controlled('PAUSE_ALL', '2026-11-24T10:00:01+09:00'), { type: 'controlFailed', fault: FAULT });
    expect(desk.control).toMatchObject({ value: { mode: 'PAUSE_ALL' }, fault: FAULT });
  });
});
