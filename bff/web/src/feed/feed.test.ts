import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ApiError, httpApi, type Api } from './api';
import { Backoff } from './backoff';
import { Feed, SILENCE_MAX_MS, type Socket, type SocketListener } from './feed';
import { Store } from './store';

class FakeSocket implements Socket {
  sent: unknown[] = [];
  isClosed = false;
  constructor(readonly listener: SocketListener) {}
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.isClosed = true;
  }
  say(message: unknown): void {
    this.listener.heard(JSON.stringify(message));
  }
  open(): void {
    this.listener.opened();
    this.say({ type: 'hello', server_time: '2026-11-24T10:00:00+09:00', mode: 'redis' });
  }
}

const CONTROL = { mode: 'RUNNING', reason: null, updated_by: 'kim', updated_ts: '2026-11-24T09:00:00+09:00' } as const;

/** A desk on a fake server; `calls` counts the requests by resource. */
function fixture() {
  const sockets: FakeSocket[] = [];
  const calls = new Map<string, number>();
  const count = (name: string) => calls.set(name, (calls.get(name) ?? 0) + 1);
  const rows: Record<string, unknown[]> = {
    positions: [{ position_id: 'p1', symbol: '005930', version: 1, closed_ts: null }],
  };
  const api = {
    list: vi.fn(async (name: string) => {
      count(name);
      return rows[name] ?? [];
    }),
    control: vi.fn(async () => {
      count('control');
      return CONTROL;
    }),
    prices: vi.fn(async () => []),
    session: vi.fn(async () => null),
  };
  const store = new Store();
  const feed = new Feed(store, {
    api: api as unknown as Api,
    openSocket: (listener) => {
      const socket = new FakeSocket(listener);
      sockets.push(socket);
      return socket;
    },
    isNetworkAway: () => false,
    nowMs: () => Date.now(),
    random: () => 0.5,
  });
  const last = () => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error('no connection was attempted');
    return socket;
  };
  return { feed, store, api, calls, rows, sockets, last };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(500);

describe('the feed', () => {
  it('fetches everything at the start and subscribes to the symbols of the positions', async () => {
    const { feed, store, calls, last } = fixture();
    feed.start();
    last().open();
    await settle();
    expect(Object.fromEntries(calls)).toEqual({ positions: 1, orders: 1, executions: 1, exitEvents: 1, reentry: 1, control: 1 });
    expect(last().sent).toEqual([{ type: 'subscribe', symbols: ['005930'] }]);
    expect(store.now().link.phase).toBe('live');
    feed.stop();
  });

  it('answers a burst of changes with one request each', async () => {
    const { feed, calls, last } = fixture();
    feed.start();
    last().open();
    await settle();
    calls.clear();
    for (let i = 0; i < 20; i += 1) last().say({ type: 'changed', tables: ['trade.positions', 'trade.position_state', 'system.config'] });
    await settle();
    expect(Object.fromEntries(calls)).toEqual({ positions: 1 });
    feed.stop();
  });

  it('asks once more for a change that came during a request', async () => {
    const { feed, api, calls, last } = fixture();
    feed.start();
    last().open();
    await settle();
    calls.clear();
    let answer: (rows: unknown[]) => void = () => {};
    api.list.mockImplementationOnce((name: string) => {
      calls.set(name, 1);
      return new Promise((resolve) => (answer = resolve));
    });
    last().say({ type: 'changed', tables: ['trade.orders'] });
    await settle();
    last().say({ type: 'changed', tables: ['trade.order_events'] });
    last().say({ type: 'changed', tables: ['trade.order_events'] });
    await settle();
    expect(calls.get('orders')).toBe(1);
    answer([]);
    await settle();
    expect(calls.get('orders')).toBe(2);
    feed.stop();
  });

  it('reconnects after a loss and fetches everything anew', async () => {
    const { feed, store, calls, sockets, last } = fixture();
    feed.start();
    last().open();
    await settle();
    calls.clear();
    last().listener.closed();
    expect(store.now().link.phase).toBe('reconnecting');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets).toHaveLength(2);
    last().open();
    await settle();
    expect(store.now().link.phase).toBe('live');
    expect([...calls.values()]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(last().sent).toEqual([{ type: 'subscribe', symbols: ['005930'] }]);
    feed.stop();
  });

  it('takes a silent connection for dead, and its late messages for nothing', async () => {
    const { feed, store, sockets, last } = fixture();
    feed.start();
    last().open();
    const first = last();
    await vi.advanceTimersByTimeAsync(SILENCE_MAX_MS - 1);
    expect(store.now().link.phase).toBe('live');
    await vi.advanceTimersByTimeAsync(1);
    expect(first.isClosed).toBe(true);
    first.say({ type: 'ping' });
    expect(store.now().link.phase).toBe('reconnecting');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets).toHaveLength(2);
    feed.stop();
  });

  it('stays alive on pings alone', async () => {
    const { feed, sockets, last } = fixture();
    feed.start();
    last().open();
    for (let i = 0; i < 10; i += 1) {
      await vi.advanceTimersByTimeAsync(SILENCE_MAX_MS / 2);
      last().say({ type: 'ping' });
    }
    expect(sockets).toHaveLength(1);
    feed.stop();
  });

  it('waits longer after every failed attempt', async () => {
    const { feed, store, sockets, last } = fixture();
    feed.start();
    const waits: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      const attempts = sockets.length;
      last().listener.closed();
      let waited = 0;
      while (sockets.length === attempts) {
        await vi.advanceTimersByTimeAsync(25);
        waited += 25;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([375, 750, 1500, 3000]);
    expect(store.now().link.phase).toBe('offline');
    feed.stop();
  });

  it('repeats a failed request by itself and shows the fault until then', async () => {
    const { feed, store, api, last } = fixture();
    const fault = { code: 'DB_UNAVAILABLE', message: 'no connection', requestId: 'r-7' };
    api.list.mockImplementation(async () => {
      throw new ApiError(fault, true);
    });
    feed.start();
    last().open();
    await settle();
    expect(store.now().lists.orders).toMatchObject({ rows: null, fault });
    api.list.mockImplementation(async () => []);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(store.now().lists.orders).toMatchObject({ rows: [], fault: null });
    feed.stop();
  });

  it('survives damaged and unknown messages', async () => {
    const { feed, store, last } = fixture();
    feed.start();
    last().open();
    for (const data of ['{', 'null', '3', '{"type":"new"}', '{"type":"prices"}', '{"type":"prices","data":[{"symbol":1}]}']) {
      last().listener.heard(data);
    }
    last().listener.heard(new ArrayBuffer(1));
    expect(store.now().prices.size).toBe(0);
    expect(store.now().link.phase).toBe('live');
    feed.stop();
  });

  it('is quiet once stopped', async () => {
    const { feed, calls, sockets, last } = fixture();
    feed.start();
    last().open();
    await settle();
    feed.stop();
    calls.clear();
    feed.reconnectNow();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(sockets).toHaveLength(1);
    expect(last().isClosed).toBe(true);
    expect(calls.size).toBe(0);
  });
});

describe('the backoff', () => {
  it('stays between half and the whole of its step, and below its cap', () => {
    const low = new Backoff(500, 15_000, () => 0);
    const high = new Backoff(500, 15_000, () => 1);
    for (let i = 0; i < 50; i += 1) {
      const whole = Math.min(15_000, 500 * 2 ** i);
      expect(low.nextMs()).toBe(whole / 2);
      expect(high.nextMs()).toBe(whole);
    }
  });
});

describe('requests', () => {
  const answer = (status: number, body: string) => httpApi(async () => new Response(body, { status }));

  it('take the content out of the envelope', async () => {
    await expect(answer(200, '{"data":[],"meta":{}}').list('orders')).resolves.toEqual([]);
  });

  it('carry code and request id of a refusal', async () => {
    const body = '{"error":{"code":"VALIDATION","message":"unknown mode","request_id":"r-9","timestamp":""}}';
    await expect(answer(422, body).control()).rejects.toMatchObject({
      fault: { code: 'VALIDATION', message: 'unknown mode', requestId: 'r-9' },
      isRefusal: true,
    });
  });

  it('do not take a gateway page or a foreign form for an answer', async () => {
    await expect(answer(502, '<html>').list('orders')).rejects.toMatchObject({
      fault: { code: 'HTTP_502', requestId: null },
      isRefusal: false,
    });
    for (const body of ['<html>', '[]', '{"data":{}}', 'null']) {
      await expect(answer(200, body).list('orders')).rejects.toMatchObject({ fault: { code: 'BAD_ANSWER' } });
    }
  });

  it('that got no answer leave the outcome open', async () => {
    const api = httpApi(async () => {
      throw new TypeError('Failed to fetch');
    });
    const change = { mode: 'PAUSE_ALL', reason: 'x', updated_by: 'kim' } as const;
    await expect(api.setControl(change)).rejects.toMatchObject({ fault: { code: 'NETWORK' }, isRefusal: false });
  });
});
