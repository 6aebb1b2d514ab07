import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { fixture, order, tick } from './fake';
import { OFFLINE_AFTER_FAILURES, SILENCE_MAX_MS } from './live';

/** Longer than a beat, than symbols are gathered, and than a first wait between attempts. */
const SOON_MS = 800;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms = SOON_MS) => vi.advanceTimersByTimeAsync(ms);
const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;

function started() {
  const all = fixture();
  all.live.start();
  return all;
}

describe('the connection', () => {
  it('follows every topic and is live from the answer on', () => {
    const { live, last } = started();
    expect(live.linkNow()).toEqual({ phase: 'connecting', lostMs: null, mode: null });
    last().open({ orders: [order()] });
    expect(last().sent).toMatchObject([{ type: 'subscribe', symbols: ['0'] }]);
    expect(last().sent[0]).not.toHaveProperty('since');
    expect(last().topics()).toEqual(expect.arrayContaining(['positions', 'orders', 'alarms', 'health', 'tables']));
    expect(live.rows.orders.isReady).toBe(true);
    expect(live.linkNow()).toMatchObject({ phase: 'live', mode: 'redis' });
    live.stop();
  });

  it('goes on where it was after a break', async () => {
    const { live, sockets, last } = started();
    last().open({ seq: 10, orders: [order()] });
    last().say({ type: 'change', topic: 'orders', seq: 17, after: 9, upsert: [order({ status: 'FILLED' })], removed: [] });
    last().listener.closed();
    expect(live.linkNow().phase).toBe('reconnecting');
    await pass();
    expect(sockets).toHaveLength(2);
    last().open({ isResumed: true });
    expect(last().sent[0]).toMatchObject({
      epoch: 'e1',
      since: Object.fromEntries(last().topics().map((topic) => [topic, 17])),
    });
    last().say({ type: 'change', topic: 'orders', seq: 21, after: 17, upsert: [order({ order_id: id(1) })], removed: [] });
    await pass();
    expect(live.rows.orders.now()).toHaveLength(2);
    live.stop();
  });

  it('begins anew where the server has begun anew', async () => {
    const { live, last } = started();
    last().open({ seq: 900, orders: [order()] });
    last().listener.closed();
    await pass();
    last().open({ epoch: 'e2', seq: 3, orders: [] });
    await pass();
    expect(live.rows.orders.now()).toEqual([]);
    last().say({ type: 'change', topic: 'orders', seq: 4, after: 3, upsert: [order()], removed: [] });
    last().listener.closed();
    await pass();
    last().greet('e2');
    expect(last().sent[0]).toMatchObject({ epoch: 'e2', since: { orders: 4, tables: 4 } });
    live.stop();
  });

  it('asks for all of a topic of which a change was missed', () => {
    const { live, last } = started();
    last().open({ seq: 10 });
    last().say({ type: 'change', topic: 'orders', seq: 15, after: 12, upsert: [order()], removed: [] });
    const anew = last().sent.at(-1) as { since: Record<string, number> };
    expect(anew.since).toMatchObject({ positions: 10, exits: 10, tables: 10 });
    expect(anew.since).not.toHaveProperty('orders');
    // Until it is there, numbers of this topic mean nothing.
    last().say({ type: 'change', topic: 'orders', seq: 19, after: 18, upsert: [], removed: [] });
    expect(last().sent).toHaveLength(2);
    live.stop();
  });

  it('goes on without a topic whose snapshot the gap has yet to bring', async () => {
    const { live, last } = started();
    last().open({ seq: 10 });
    last().say({ type: 'gap', topics: ['orders'] });
    last().listener.closed();
    await pass();
    last().greet();
    expect(last().sent[0]).not.toHaveProperty('since.orders');
    expect(last().sent[0]).toHaveProperty('since.positions', 10);
    live.stop();
  });

  it('takes the place of all rows with a snapshot', async () => {
    const { live, last } = started();
    last().open({ orders: [order({ order_id: id(1) }), order({ order_id: id(2) })] });
    last().say({ type: 'snapshot', topic: 'orders', seq: 30, rows: [order({ order_id: id(2) })] });
    await pass();
    expect(live.rows.orders.now().map((row) => row.order_id)).toEqual([id(2)]);
    live.stop();
  });

  it('greeted again it does not subscribe again, and tells where prices come from', () => {
    const { live, last } = started();
    last().open();
    last().say({ type: 'hello', server_time: '', mode: 'polling', epoch: 'e1' });
    expect(last().sent).toHaveLength(1);
    expect(live.linkNow()).toMatchObject({ phase: 'live', mode: 'polling' });
    live.stop();
  });

  it('takes a silent connection for dead, and its late messages for nothing', async () => {
    const { live, sockets, last } = started();
    last().open();
    const first = last();
    await pass(SILENCE_MAX_MS - 1);
    expect(live.linkNow().phase).toBe('live');
    await pass(1);
    expect(first.isClosed).toBe(true);
    expect(live.linkNow()).toMatchObject({ phase: 'reconnecting', lostMs: Date.now() });
    await pass();
    expect(sockets).toHaveLength(2);
    first.open();
    first.listener.closed();
    expect(live.linkNow().phase).toBe('reconnecting');
    live.stop();
  });

  it('stays alive on pings alone', async () => {
    const { live, sockets, last } = started();
    last().open();
    for (let i = 0; i < 10; i += 1) {
      await pass(SILENCE_MAX_MS / 2);
      last().say({ type: 'ping' });
    }
    expect(sockets).toHaveLength(1);
    live.stop();
  });

  it('waits longer after every failed attempt, is offline, and forgets it when it holds', async () => {
    const { live, sockets, last } = started();
    last().open();
    const waitMs = async () => {
      const attempts = sockets.length;
      last().listener.closed();
      let waited = 0;
      while (sockets.length === attempts) {
        await pass(25);
        waited += 25;
      }
      return waited;
    };
    const phases = [];
    const waits = [];
    for (let i = 0; i < OFFLINE_AFTER_FAILURES + 1; i += 1) {
      waits.push(await waitMs());
      phases.push(live.linkNow().phase);
    }
    expect(waits).toEqual([375, 750, 1500, 3000]);
    expect(phases).toEqual(['reconnecting', 'reconnecting', 'offline', 'offline']);
    // A connection that breaks at once is no success.
    last().open({ isResumed: true });
    expect(live.linkNow()).toMatchObject({ phase: 'live', lostMs: null });
    expect(await waitMs()).toBe(6000);
    last().open({ isResumed: true });
    await pass(10_000);
    expect(await waitMs()).toBe(375);
    live.stop();
  });

  it('is offline at once when the network is away, and back at once with it', () => {
    const { live, sockets, state, last } = started();
    last().open();
    state.isNetworkAway = true;
    last().listener.closed();
    expect(live.linkNow().phase).toBe('offline');
    live.reconnectNow();
    expect(sockets).toHaveLength(2);
    live.reconnectNow();
    expect(sockets, 'one attempt at a time').toHaveLength(2);
    live.stop();
  });

  it('survives damaged and unknown messages', async () => {
    const { live, last } = started();
    last().open();
    const damaged = ['{', 'null', '3', '{"type":"new"}', '{"type":"prices"}', '{"type":"change","topic":"other"}'];
    for (const data of [...damaged, '{"type":"prices","data":[{"symbol":1},{"symbol":"1","price":null}]}', new ArrayBuffer(1)]) {
      last().listener.heard(data);
    }
    await pass();
    expect(live.prices.version).toBe(0);
    expect(live.linkNow().phase).toBe('live');
    live.stop();
  });

  it('is quiet once stopped', async () => {
    const { live, sockets, last } = started();
    last().open();
    live.stop();
    live.reconnectNow();
    await pass(300_000);
    expect(sockets).toHaveLength(1);
    expect(last().isClosed).toBe(true);
  });
});

describe('tables', () => {
  it('all count as changed at the start and after a gap, then those that are named', async () => {
    const { live, last } = started();
    const told: unknown[] = [];
    live.listenToTables((tables) => told.push(tables));
    last().open();
    last().say({ type: 'changed', seq: 12, tables: ['trade.orders'] });
    last().say({ type: 'gap', topics: ['tables'] }, { type: 'changed', seq: 13, tables: ['trade.orders'] });
    last().listener.closed();
    await pass();
    last().open({ isResumed: true });
    last().say({ type: 'changed', seq: 14, tables: ['trade.exit_rules'] });
    expect(told).toEqual(['all', ['trade.orders'], 'all', ['trade.exit_rules']]);
    live.stop();
  });
});

describe('symbols', () => {
  it('are chosen once for many components, and filled with what they are now', async () => {
    const { live, state, last } = started();
    last().open();
    state.known = [tick({ symbol: '000660', price: 210_000 }), { symbol: 'damaged' }];
    const ends = ['005930', '000660', '005930'].map((symbol) => live.want(symbol));
    await pass();
    expect(last().sent.slice(1)).toEqual([{ type: 'subscribe', symbols: ['000660', '005930'] }]);
    expect(state.asked).toEqual([['000660', '005930']]);
    expect(live.prices.get('000660')?.price).toBe(210_000);
    // Two components show 005930: it is followed until both are gone.
    ends[0]?.();
    ends[0]?.();
    ends[1]?.();
    await pass();
    expect(last().sent.at(-1)).toEqual({ type: 'subscribe', symbols: ['005930'] });
    ends[2]?.();
    await pass();
    expect(last().sent.at(-1)).toEqual({ type: 'subscribe', symbols: ['0'] });
    expect(state.asked, 'what is known already is not asked for').toHaveLength(1);
    live.stop();
  });

  it('are asked for in requests of at most a hundred', async () => {
    const { live, state, last } = started();
    last().open();
    for (let i = 0; i < 250; i += 1) live.want(String(100_000 + i));
    await pass();
    expect(state.asked.map((symbols) => symbols.length)).toEqual([100, 100, 50]);
    live.stop();
  });

  it('that were chosen while away are part of the new subscription', async () => {
    const { live, last } = started();
    last().open();
    last().listener.closed();
    live.want('005930');
    await pass();
    last().greet();
    expect(last().sent[0]).toMatchObject({ symbols: ['005930'] });
    live.stop();
  });
});
