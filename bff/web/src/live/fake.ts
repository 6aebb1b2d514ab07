/** A server that does what a test says, for tests of the connection. */

import { Live, type Socket, type SocketListener } from './live';
import type { Tick } from './messages';

export class FakeSocket implements Socket {
  readonly sent: Record<string, unknown>[] = [];
  isClosed = false;

  constructor(readonly listener: SocketListener) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.isClosed = true;
  }

  say(...messages: unknown[]): void {
    for (const message of messages) this.listener.heard(JSON.stringify(message));
  }

  greet(epoch = 'e1'): void {
    this.say({ type: 'hello', server_time: '2026-11-24T10:00:00+09:00', mode: 'redis', epoch });
  }

  /** What the client follows beside prices. */
  topics(): string[] {
    const { topics } = this.sent.find((message) => message.topics !== undefined) as { topics: string[] };
    return topics.filter((topic) => topic !== 'prices');
  }

  /** Greets, and answers the subscription: every topic that does not go on begins with a snapshot. */
  open({ epoch = 'e1', seq = 10, isResumed = false, orders = [] as unknown[] } = {}): void {
    this.greet(epoch);
    this.say({ type: 'subscribed', epoch, topics: [], resumed: isResumed ? this.topics() : [] });
    if (isResumed) return;
    for (const topic of this.topics().filter((name) => name !== 'tables')) {
      this.say({ type: 'snapshot', topic, seq, rows: topic === 'orders' ? orders : [] });
    }
    this.say({ type: 'changed', seq, tables: ['trade.orders', 'trade.positions'] });
  }
}

export function fixture() {
  const sockets: FakeSocket[] = [];
  const state = { isNetworkAway: false, known: [] as unknown[], asked: [] as (readonly string[])[] };
  const live = new Live({
    openSocket: (listener) => {
      const socket = new FakeSocket(listener);
      sockets.push(socket);
      return socket;
    },
    fetchPrices: async (symbols) => {
      state.asked.push(symbols);
      return state.known;
    },
    isNetworkAway: () => state.isNetworkAway,
    nowMs: () => Date.now(),
    random: () => 0.5,
  });
  const last = () => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error('no connection was attempted');
    return socket;
  };
  return { live, sockets, state, last };
}

export function tick(change: Partial<Tick> = {}): Tick {
  return {
    symbol: '005930',
    price: 70_000,
    bid: 69_900,
    ask: 70_000,
    change_price: 500,
    change_rate: 0.72,
    volume: 3,
    source: 'KIS_WS',
    ts: '2026-11-24T10:00:00+09:00',
    logical_us: 1_000,
    ...change,
  };
}

export function order(change: Record<string, unknown> = {}) {
  return {
    order_id: '47548b14-5948-5a6f-905c-3834d57051c6',
    action_key: 'p1:1:OPEN:SL1:1',
    position_id: 'd713c9ad-a294-4d23-9dd2-4eba8806bfb4',
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
    price: 67_900,
    level: 67_900,
    status: 'SUBMITTED',
    broker_order_no: null,
    created_ts: '2026-11-24T10:00:00+09:00',
    updated_ts: '2026-11-24T10:00:00.100+09:00',
    ...change,
  };
}
