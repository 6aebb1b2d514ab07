/**
 * The connection to the server: one socket, rows by topic, prices of what is looked at.
 *
 * ```text
 * /ws snapshot, change ─> Rows, one a topic ─┐
 * /ws prices ───────────> Prices ────────────┼─> components, at most ten times a second
 * /ws changed ──────────> queries of tables ─┘
 * ```
 *
 * After a break it goes on where it was (`since`); what the server no longer has comes as a snapshot.
 */

import { Backoff } from './backoff';
import {
  isTick,
  parseMessage,
  TOPIC_NAMES,
  TOPICS,
  type PriceMode,
  type ServerMessage,
  type TopicName,
  type TopicRow,
} from './messages';
import { Prices } from './prices';
import { Rows } from './rows';

/** The part of WebSocket that is used. */
export interface Socket {
  send(text: string): void;
  close(): void;
}

export interface SocketListener {
  heard: (data: unknown) => void;
  closed: () => void;
}

export interface Surroundings {
  openSocket: (listener: SocketListener) => Socket;
  /** Newest prices of symbols, for those that have not moved since they are looked at. */
  fetchPrices: (symbols: readonly string[]) => Promise<unknown[]>;
  isNetworkAway: () => boolean;
  nowMs: () => number;
  random: () => number;
}

/** `connecting`: not yet live. `offline`: several attempts failed or the network is away. */
export type LinkPhase = 'connecting' | 'live' | 'reconnecting' | 'offline';

export interface Link {
  phase: LinkPhase;
  /** Browser time at which the connection was lost; null while it stands. */
  lostMs: number | null;
  /** Where the server takes prices from, null until it has said so. */
  mode: PriceMode | null;
}

/** A connection without any message, pings included, is taken for dead after this. */
export const SILENCE_MAX_MS = 40_000;
/** Failed attempts in a row that make `reconnecting` into `offline`. */
export const OFFLINE_AFTER_FAILURES = 3;
/** How long a connection must hold before the wait between attempts starts over. */
const HEALTHY_AFTER_MS = 5_000;
/** How long symbols are gathered before the server is told. */
const LINGER_MS = 50;
/** Symbols of one subscription and of one request for prices at most. */
const SYMBOLS_MAX = 500;
const PRICES_MAX = 100;

type AllRows = { [N in TopicName]: Rows<TopicRow<N>> };

export class Live {
  readonly prices: Prices;
  readonly rows: AllRows;
  private socket: Socket | null = null;
  private isStopped = false;
  private timers: Partial<Record<'retry' | 'silence' | 'healthy' | 'symbols', ReturnType<typeof setTimeout>>> = {};
  private readonly backoff: Backoff;
  private failures = 0;
  private epoch: string | null = null;
  private seq = 0;
  /** Topics whose snapshot has not come yet. */
  private readonly awaited = new Set<string>([...TOPIC_NAMES, 'tables']);
  /** How many look at a symbol. */
  private readonly wanted = new Map<string, number>();
  private asked = '';
  private link: Link = { phase: 'connecting', lostMs: null, mode: null };
  private readonly linkListeners = new Set<() => void>();
  private readonly tableListeners = new Set<(tables: readonly string[] | 'all') => void>();

  constructor(private readonly around: Surroundings) {
    this.backoff = new Backoff(500, 15_000, around.random);
    this.prices = new Prices(around.nowMs);
    const rows = TOPIC_NAMES.map((name) => [name, new Rows(TOPICS[name] as never, around.nowMs)]);
    this.rows = Object.fromEntries(rows) as AllRows;
  }

  start(): void {
    this.connect();
  }

  /** Ends the connection for good. */
  stop(): void {
    this.isStopped = true;
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    this.drop();
    this.prices.stop();
    for (const name of TOPIC_NAMES) this.rows[name].stop();
  }

  /** Tries again at once, for a network that is back. */
  reconnectNow(): void {
    if (this.socket === null && !this.isStopped) this.connect();
  }

  readonly linkNow = (): Link => this.link;

  readonly listenToLink = (listener: () => void): (() => void) => {
    this.linkListeners.add(listener);
    return () => this.linkListeners.delete(listener);
  };

  /** Calls `listener` with tables of which rows have changed; `all` after a break. Returns what ends it. */
  listenToTables(listener: (tables: readonly string[] | 'all') => void): () => void {
    this.tableListeners.add(listener);
    return () => this.tableListeners.delete(listener);
  }

  /** Follows the price of `symbol` until what is returned is called. */
  want(symbol: string): () => void {
    this.wanted.set(symbol, (this.wanted.get(symbol) ?? 0) + 1);
    this.lookAnew();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      const left = (this.wanted.get(symbol) ?? 1) - 1;
      if (left === 0) this.wanted.delete(symbol);
      else this.wanted.set(symbol, left);
      this.lookAnew();
    };
  }

  private lookAnew(): void {
    if (this.timers.symbols !== undefined || this.isStopped) return;
    this.timers.symbols = setTimeout(() => {
      delete this.timers.symbols;
      this.chooseSymbols();
    }, LINGER_MS);
  }

  /** Symbols that are looked at, in order. Nobody means one that does not exist: none would mean all. */
  private symbols(): string[] {
    const symbols = [...this.wanted.keys()].sort().slice(0, SYMBOLS_MAX);
    return symbols.length === 0 ? ['0'] : symbols;
  }

  private chooseSymbols(): void {
    const symbols = this.symbols();
    const key = symbols.join();
    if (this.socket === null || this.epoch === null || key === this.asked) return;
    const before = new Set(this.asked.split(','));
    this.asked = key;
    this.send({ type: 'subscribe', symbols });
    void this.fill(symbols.filter((symbol) => !before.has(symbol) && symbol !== '0'));
  }

  /** The server tells newly chosen symbols as they move: what they are now is asked for. */
  private async fill(symbols: readonly string[]): Promise<void> {
    for (let begin = 0; begin < symbols.length; begin += PRICES_MAX) {
      const some = symbols.slice(begin, begin + PRICES_MAX);
      const prices: unknown[] = await this.around.fetchPrices(some).catch(() => []);
      this.prices.take(prices.filter(isTick));
    }
  }

  private connect(): void {
    clearTimeout(this.timers.retry);
    // A socket that was given up may still speak: only the present one counts.
    const ifPresent = (act: () => void) => {
      if (this.socket === socket) act();
    };
    const socket = this.around.openSocket({
      heard: (data) => ifPresent(() => this.heard(data)),
      closed: () => ifPresent(() => this.lost()),
    });
    this.socket = socket;
    // Also covers a connection attempt that never ends.
    this.watchSilence();
  }

  private lost(): void {
    const wasLive = this.link.phase === 'live';
    this.drop();
    this.failures += 1;
    const isOffline = this.failures >= OFFLINE_AFTER_FAILURES || this.around.isNetworkAway();
    const isFirst = this.link.phase === 'connecting' && !isOffline;
    this.setLink({
      phase: isOffline ? 'offline' : isFirst ? 'connecting' : 'reconnecting',
      lostMs: wasLive ? this.around.nowMs() : this.link.lostMs,
    });
    if (this.isStopped) return;
    this.timers.retry = setTimeout(() => this.connect(), this.backoff.nextMs());
  }

  private drop(): void {
    clearTimeout(this.timers.silence);
    clearTimeout(this.timers.healthy);
    const socket = this.socket;
    this.socket = null;
    this.asked = '';
    socket?.close();
  }

  private watchSilence(): void {
    clearTimeout(this.timers.silence);
    this.timers.silence = setTimeout(() => this.lost(), SILENCE_MAX_MS);
  }

  private setLink(change: Partial<Link>): void {
    this.link = { ...this.link, ...change };
    for (const listener of this.linkListeners) listener();
  }

  private send(message: unknown): void {
    this.socket?.send(JSON.stringify(message));
  }

  private heard(data: unknown): void {
    this.watchSilence();
    const message = typeof data === 'string' ? parseMessage(data) : null;
    if (message !== null) this.take(message);
  }

  private take(message: ServerMessage): void {
    switch (message.type) {
      case 'hello':
        this.setLink({ mode: message.mode });
        // It greets again whenever the source of prices changes.
        if (this.asked === '') this.subscribe();
        break;
      case 'subscribed':
        this.subscribed(message.epoch, message.resumed);
        break;
      case 'snapshot':
        this.snapshot(message.topic, message.rows);
        this.told(message.seq);
        break;
      case 'change':
        // Something of this topic was missed: all of it is asked for anew.
        if (message.after > this.seq && !this.awaited.has(message.topic)) {
          this.awaited.add(message.topic);
          this.subscribe();
          return;
        }
        this.rowsOf(message.topic)?.change(message.upsert, message.removed);
        this.told(message.seq);
        break;
      case 'prices':
        this.prices.take(message.data);
        this.told(message.seq);
        break;
      case 'changed':
        // The first names every table: what was missed is not known.
        this.tell(this.awaited.delete('tables') ? 'all' : message.tables);
        this.told(message.seq);
        break;
      case 'gap':
        message.topics.forEach((topic) => this.awaited.add(topic));
        break;
      case 'error':
        // A snapshot that is late comes by itself.
        if (message.code !== 'SNAPSHOT_LATE') console.error(`the server refused a message: ${message.code} ${message.message}`);
        break;
      case 'ping':
        break;
    }
  }

  private subscribe(): void {
    const symbols = this.symbols();
    this.asked = symbols.join();
    const known = [...TOPIC_NAMES, 'tables'].filter((topic) => !this.awaited.has(topic));
    this.send({
      type: 'subscribe',
      topics: ['prices', ...TOPIC_NAMES, 'tables'],
      symbols,
      ...(this.epoch === null || known.length === 0
        ? {}
        : { epoch: this.epoch, since: Object.fromEntries(known.map((topic) => [topic, this.seq])) }),
    });
  }

  private subscribed(epoch: string, resumed: readonly string[]): void {
    if (epoch !== this.epoch) this.seq = 0;
    this.epoch = epoch;
    for (const topic of [...TOPIC_NAMES, 'tables']) {
      if (!resumed.includes(topic)) this.awaited.add(topic);
    }
    this.failures = 0;
    this.setLink({ phase: 'live', lostMs: null });
    clearTimeout(this.timers.healthy);
    this.timers.healthy = setTimeout(() => this.backoff.reset(), HEALTHY_AFTER_MS);
    this.lookAnew();
  }

  private snapshot(topic: string, rows: readonly unknown[]): void {
    this.awaited.delete(topic);
    if (topic === 'prices') this.prices.take(rows.filter(isTick));
    else this.rowsOf(topic)?.snapshot(rows);
  }

  private rowsOf(topic: string): Rows<unknown> | undefined {
    return (this.rows as Record<string, Rows<unknown> | undefined>)[topic];
  }

  private told(seq: number): void {
    this.seq = Math.max(this.seq, seq);
  }

  private tell(tables: readonly string[] | 'all'): void {
    for (const listener of this.tableListeners) listener(tables);
  }
}
