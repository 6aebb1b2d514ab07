/**
 * The newest price of each symbol that somebody looks at.
 *
 * 1. A tick never overwrites a later one: ticks are ordered by their logical time.
 * 2. Whoever shows a symbol hears of it at most once a beat, and only of that symbol.
 */

import { Beat } from './beat';
import type { Tick } from './messages';

export interface LivePrice {
  price: number;
  bid: number | null;
  ask: number | null;
  changePrice: number | null;
  /** Percent of the previous close. */
  changeRate: number | null;
  volume: number | null;
  source: string;
  /** Exchange time. */
  ts: string;
  logicalUs: number;
  /** Whether the engine takes it for too old to decide on. */
  isStale: boolean;
  /** Browser time at which it was heard. */
  heardMs: number;
  /** Which way it went last: 1 up, -1 down, 0 not at all. */
  direction: 1 | -1 | 0;
  /** Counts moves, so that each can be shown. */
  moves: number;
}

type Listener = () => void;

function directionOf(to: number, from: number): 1 | -1 | 0 {
  if (to === from) return 0;
  return to > from ? 1 : -1;
}

export class Prices {
  private readonly known = new Map<string, LivePrice>();
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly anyListeners = new Set<Listener>();
  private readonly dirty = new Set<string>();
  private readonly beat: Beat;
  /** Counts flushes, for whoever shows something of all prices. */
  version = 0;

  constructor(private readonly nowMs: () => number) {
    this.beat = new Beat(() => this.flush(), nowMs);
  }

  get(symbol: string): LivePrice | undefined {
    return this.known.get(symbol);
  }

  /** Takes in ticks, in any order. */
  take(ticks: readonly Tick[]): void {
    const heardMs = this.nowMs();
    for (const tick of ticks) {
      const before = this.known.get(tick.symbol);
      if (before !== undefined && before.logicalUs > tick.logical_us) continue;
      const direction = before === undefined ? 0 : directionOf(tick.price, before.price);
      this.known.set(tick.symbol, {
        price: tick.price,
        bid: tick.bid ?? null,
        ask: tick.ask ?? null,
        changePrice: tick.change_price ?? before?.changePrice ?? null,
        changeRate: tick.change_rate ?? before?.changeRate ?? null,
        volume: tick.volume ?? null,
        source: tick.source ?? '',
        ts: tick.ts,
        logicalUs: tick.logical_us,
        isStale: tick.is_stale ?? before?.isStale ?? false,
        heardMs,
        direction: direction === 0 ? (before?.direction ?? 0) : direction,
        moves: (before?.moves ?? 0) + (direction === 0 ? 0 : 1),
      });
      this.dirty.add(tick.symbol);
    }
    if (this.dirty.size > 0) this.beat.touch();
  }

  /** Calls `listener` when `symbol` has moved. Returns what ends it. */
  listen(symbol: string, listener: Listener): () => void {
    let set = this.listeners.get(symbol);
    if (set === undefined) {
      set = new Set();
      this.listeners.set(symbol, set);
    }
    set.add(listener);
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.listeners.get(symbol) === set) this.listeners.delete(symbol);
    };
  }

  /** Calls `listener` when any price has moved. Returns what ends it. */
  listenToAll(listener: Listener): () => void {
    this.anyListeners.add(listener);
    return () => this.anyListeners.delete(listener);
  }

  stop(): void {
    this.beat.stop();
  }

  private flush(): void {
    this.version += 1;
    const moved = [...this.dirty];
    this.dirty.clear();
    for (const symbol of moved) this.listeners.get(symbol)?.forEach((listener) => listener());
    this.anyListeners.forEach((listener) => listener());
  }
}
