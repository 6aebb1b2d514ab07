/**
 * Connects the store to the server: the socket says what changed, requests fetch it.
 *
 * ```text
 * /ws prices ────────────────> store
 * /ws changed ─> refetchers ─> store      one refetcher per resource
 * ```
 *
 * After every connect everything is fetched anew, because what happened in the gap is not told.
 */

import { faultOf, resourceOf, type Api } from './api';
import { Backoff } from './backoff';
import {
  isTick,
  LIST_NAMES,
  parseMessage,
  RESOURCE_NAMES,
  type ListName,
  type ResourceName,
  type ServerMessage,
} from './messages';
import { Refetcher } from './refetcher';
import type { ListAnswer } from './desk';
import type { Store } from './store';

/** The part of WebSocket that the feed uses. */
export interface Socket {
  send(text: string): void;
  close(): void;
}

/** What a socket tells the feed. */
export interface SocketListener {
  opened: () => void;
  heard: (data: unknown) => void;
  closed: () => void;
}

export interface Surroundings {
  api: Api;
  openSocket: (listener: SocketListener) => Socket;
  isNetworkAway: () => boolean;
  nowMs: () => number;
  random: () => number;
}

/** A connection without any message, pings included, is taken for dead after this. */
export const SILENCE_MAX_MS = 40_000;

/** How long a connection must hold before the wait between attempts starts over. */
/** Symbols of one request for prices at most. */
const PRICES_MAX = 100;

const HEALTHY_AFTER_MS = 5_000;

/** The session changes a few times a day and is not pushed. */
const SESSION_EVERY_MS = 60_000;

export class Feed {
  private socket: Socket | null = null;
  private isStopped = false;
  private timers: Partial<Record<'retry' | 'silence' | 'healthy', ReturnType<typeof setTimeout>>> = {};
  private sessionTimer: ReturnType<typeof setInterval> | null = null;
  private readonly backoff: Backoff;
  private readonly refetchers: Record<ResourceName, Refetcher>;
  private asked = 0;
  /** Symbols of the last subscription, in order, joined. */
  private subscribed = '';
  /** Symbols whose change of the day was asked for on this connection. */
  private priced = new Set<string>();

  constructor(
    private readonly store: Store,
    private readonly around: Surroundings,
  ) {
    this.backoff = new Backoff(500, 15_000, around.random);
    const lists = LIST_NAMES.map((name) => [name, () => this.fetchList(name)] as const);
    const all = [...lists, ['control', () => this.fetchControl()] as const];
    this.refetchers = Object.fromEntries(
      all.map(([name, fetchOnce]) => [name, new Refetcher(fetchOnce, around.random)]),
    ) as Record<ResourceName, Refetcher>;
  }

  /** Connects, and fetches without waiting for the connection. */
  start(): void {
    this.connect();
    this.refetchAll();
    this.sessionTimer = setInterval(() => void this.fetchSession(), SESSION_EVERY_MS);
  }

  /** Ends the connection, the timers and the requests for good. */
  stop(): void {
    this.isStopped = true;
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    if (this.sessionTimer !== null) clearInterval(this.sessionTimer);
    for (const name of RESOURCE_NAMES) this.refetchers[name].stop();
    this.drop();
  }

  /** Fetches one resource anew. */
  refetch(name: ResourceName): void {
    this.refetchers[name].request();
  }

  /** Tries again at once, for a network that is back. */
  reconnectNow(): void {
    if (this.socket === null && !this.isStopped) this.connect();
  }

  private connect(): void {
    clearTimeout(this.timers.retry);
    this.subscribed = '';
    this.priced.clear();
    // A socket that was given up may still speak: only the present one counts.
    const ifPresent = (act: () => void) => {
      if (this.socket === socket) act();
    };
    const socket = this.around.openSocket({
      opened: () => ifPresent(() => this.opened()),
      heard: (data) => ifPresent(() => this.heard(data)),
      closed: () => ifPresent(() => this.lost()),
    });
    this.socket = socket;
    // Also covers a connection attempt that never ends.
    this.watchSilence();
  }

  private opened(): void {
    this.store.dispatch({ type: 'opened' });
    this.timers.healthy = setTimeout(() => this.backoff.reset(), HEALTHY_AFTER_MS);
    this.refetchAll();
  }

  private lost(): void {
    this.drop();
    this.store.dispatch({ type: 'lost', networkAway: this.around.isNetworkAway() });
    if (this.isStopped) return;
    this.timers.retry = setTimeout(() => this.connect(), this.backoff.nextMs());
  }

  private drop(): void {
    clearTimeout(this.timers.silence);
    clearTimeout(this.timers.healthy);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private watchSilence(): void {
    clearTimeout(this.timers.silence);
    this.timers.silence = setTimeout(() => this.lost(), SILENCE_MAX_MS);
  }

  private heard(data: unknown): void {
    this.watchSilence();
    const message = typeof data === 'string' ? parseMessage(data) : null;
    this.store.dispatch({
      type: 'heard',
      atMs: this.around.nowMs(),
      ...(message?.type === 'hello' ? { feed: message.mode } : {}),
    });
    if (message !== null) this.take(message);
  }

  private take(message: ServerMessage): void {
    if (message.type === 'hello') {
      this.subscribe();
    } else if (message.type === 'prices') {
      this.store.dispatch({ type: 'ticks', ticks: message.data });
    } else if (message.type === 'changed') {
      for (const table of message.tables) {
        const name = resourceOf(table);
        if (name !== null) this.refetch(name);
      }
    }
  }

  private refetchAll(): void {
    for (const name of RESOURCE_NAMES) this.refetch(name);
    void this.fetchSession();
  }

  private async fetchList<N extends ListName>(name: N): Promise<boolean> {
    this.asked += 1;
    const asked = this.asked;
    try {
      const rows = await this.around.api.list(name);
      this.store.dispatch({ type: 'listed', name, asked, rows } as ListAnswer);
    } catch (error) {
      this.store.dispatch({ type: 'listFailed', name, asked, fault: faultOf(error) });
      return false;
    }
    if (name === 'positions') {
      this.subscribe();
      void this.fetchPrices();
    }
    return true;
  }

  private async fetchControl(): Promise<boolean> {
    try {
      this.store.dispatch({ type: 'controlled', control: await this.around.api.control() });
      return true;
    } catch (error) {
      this.store.dispatch({ type: 'controlFailed', fault: faultOf(error) });
      return false;
    }
  }

  /** The session is a courtesy: without it the desk is complete. */
  private async fetchSession(): Promise<void> {
    const session = await this.around.api.session().catch(() => null);
    this.store.dispatch({ type: 'sessionKnown', session });
  }

  private symbols(): string[] {
    const rows = this.store.now().lists.positions.rows ?? [];
    return [...new Set(rows.map((row) => row.symbol))].sort();
  }

  /** Narrows the ticks to the symbols on the desk. */
  private subscribe(): void {
    const symbols = this.symbols();
    const key = symbols.join();
    const isLive = this.store.now().link.phase === 'live';
    if (this.socket === null || !isLive || key === '' || key === this.subscribed) return;
    this.subscribed = key;
    this.socket.send(JSON.stringify({ type: 'subscribe', symbols }));
  }

  /** A position brings its price but not the change of the day: asked for once, until ticks come. */
  private async fetchPrices(): Promise<void> {
    const isNew = (symbol: string) =>
      this.store.now().prices.get(symbol)?.changeRate == null && !this.priced.has(symbol);
    const symbols = this.symbols().filter(isNew).slice(0, PRICES_MAX);
    if (symbols.length === 0) return;
    symbols.forEach((symbol) => this.priced.add(symbol));
    const prices: unknown[] = await this.around.api.prices(symbols).catch(() => []);
    this.store.dispatch({ type: 'ticks', ticks: prices.filter(isTick) });
  }
}
