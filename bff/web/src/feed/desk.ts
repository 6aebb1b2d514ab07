/**
 * The state of the desk and how messages change it: pure, so that it is tested alone.
 *
 * 1. An older answer never overwrites a newer row. Answers are ordered by when they were asked for;
 *    rows within them by version or by time of update, because a cache may serve an old row late.
 * 2. A tick never overwrites a later one. Prices that came with a position only fill gaps, or
 *    replace what was known before a reconnect.
 * 3. Rows that the newest answer does not have are gone.
 */

import type { Fault } from './api';
import { isBefore, microsOf } from './instant';
import type { ExitControl, FeedMode, ListName, Position, Rows, Tick } from './messages';

/** `connecting`: not yet live. `offline`: several attempts failed or the network is away. */
export type LinkPhase = 'connecting' | 'live' | 'reconnecting' | 'offline';

export interface Link {
  phase: LinkPhase;
  /** Browser time of the last message, milliseconds; null before the first. */
  lastMessageMs: number | null;
  /** Where the server takes live data from, null until it has said so. */
  feed: FeedMode | null;
  failures: number;
}

/** Failed attempts in a row that make `reconnecting` into `offline`. */
export const OFFLINE_AFTER_FAILURES = 3;

export interface LivePrice {
  price: number;
  bid: number | null;
  changePrice: number | null;
  changeRate: number | null;
  ts: string;
  /** Null for a price that came with a position. */
  logicalUs: number | null;
  /** Whether a price that came with a position may replace it. */
  isOutdated: boolean;
  /** How often the price moved, and which way at last: drives the flash. */
  moves: number;
  direction: -1 | 0 | 1;
}

export interface Listing<Row> {
  /** Null until the first answer. */
  rows: Row[] | null;
  /** Ordinal of the request that `rows` answers. */
  asked: number;
  /** Why the last request failed, null once one succeeded. */
  fault: Fault | null;
}

export type Lists = { [N in ListName]: Listing<Rows[N]> };

export interface Desk {
  link: Link;
  lists: Lists;
  prices: ReadonlyMap<string, LivePrice>;
  control: { value: ExitControl | null; fault: Fault | null };
  session: string | null;
}

export type ListAnswer = {
  [N in ListName]: { type: 'listed'; name: N; asked: number; rows: Rows[N][] };
}[ListName];

export type DeskEvent =
  | { type: 'heard'; atMs: number; feed?: FeedMode }
  | { type: 'opened' }
  | { type: 'lost'; networkAway: boolean }
  | { type: 'ticks'; ticks: Tick[] }
  | ListAnswer
  | { type: 'listFailed'; name: ListName; asked: number; fault: Fault }
  | { type: 'controlled'; control: ExitControl }
  | { type: 'controlFailed'; fault: Fault }
  | { type: 'sessionKnown'; session: string | null };

function empty<Row>(): Listing<Row> {
  return { rows: null, asked: 0, fault: null };
}

export const INITIAL: Desk = {
  link: { phase: 'connecting', lastMessageMs: null, feed: null, failures: 0 },
  lists: {
    positions: empty(),
    orders: empty(),
    executions: empty(),
    exitEvents: empty(),
    reentry: empty(),
  },
  prices: new Map(),
  control: { value: null, fault: null },
  session: null,
};

interface Identity<Row> {
  idOf: (row: Row) => string | number;
  /** Whether `a` is certainly older than `b`, both being states of one row. */
  isOlder: (a: Row, b: Row) => boolean;
}

const never = () => false;

/** Insert-only rows have one state. */
const IDENTITIES: { [N in ListName]: Identity<Rows[N]> } = {
  positions: {
    idOf: (row) => row.position_id,
    isOlder: (a, b) =>
      a.version < b.version ||
      (a.version === b.version && a.closed_ts === null && b.closed_ts !== null),
  },
  orders: {
    idOf: (row) => row.order_id,
    isOlder: (a, b) =>
      isBefore(a.updated_ts, b.updated_ts) ||
      (microsOf(a.updated_ts) === microsOf(b.updated_ts) && a.filled_qty < b.filled_qty),
  },
  executions: { idOf: (row) => row.fill_id, isOlder: never },
  exitEvents: { idOf: (row) => row.exit_event_id, isOlder: never },
  reentry: { idOf: (row) => row.id, isOlder: never },
};

function relist<Row>(
  listing: Listing<Row>,
  identity: Identity<Row>,
  asked: number,
  rows: Row[],
): Listing<Row> {
  if (asked < listing.asked) return listing;
  const known = new Map(listing.rows?.map((row) => [identity.idOf(row), row]));
  const merged = rows.map((row) => {
    const before = known.get(identity.idOf(row));
    return before !== undefined && identity.isOlder(row, before) ? before : row;
  });
  return { rows: merged, asked, fault: null };
}

function move(known: LivePrice | undefined, price: number): Pick<LivePrice, 'moves' | 'direction'> {
  if (known === undefined) return { moves: 0, direction: 0 };
  if (known.price === price) return { moves: known.moves, direction: known.direction };
  return { moves: known.moves + 1, direction: price > known.price ? 1 : -1 };
}

function withTicks(
  prices: ReadonlyMap<string, LivePrice>,
  ticks: Tick[],
): ReadonlyMap<string, LivePrice> {
  const next = new Map(prices);
  let isChanged = false;
  for (const tick of ticks) {
    const known = next.get(tick.symbol);
    if (known?.logicalUs != null && tick.logical_us <= known.logicalUs) continue;
    isChanged = true;
    next.set(tick.symbol, {
      price: tick.price,
      bid: tick.bid ?? null,
      changePrice: tick.change_price ?? known?.changePrice ?? null,
      changeRate: tick.change_rate ?? known?.changeRate ?? null,
      ts: tick.ts,
      logicalUs: tick.logical_us,
      isOutdated: false,
      ...move(known, tick.price),
    });
  }
  return isChanged ? next : prices;
}

function withPositions(
  prices: ReadonlyMap<string, LivePrice>,
  positions: Position[],
): ReadonlyMap<string, LivePrice> {
  const next = new Map(prices);
  for (const position of positions) {
    const { symbol, last_price: price, price_ts: ts } = position;
    if (typeof price !== 'number' || typeof ts !== 'string') continue;
    const known = next.get(symbol);
    if (known !== undefined && (!known.isOutdated || !isBefore(known.ts, ts))) continue;
    next.set(symbol, {
      price,
      bid: position.bid ?? null,
      // The change of an earlier price does not belong to this one.
      changePrice: null,
      changeRate: null,
      ts,
      logicalUs: known?.logicalUs ?? null,
      isOutdated: true,
      ...move(known, price),
    });
  }
  return next;
}

function outdated(prices: ReadonlyMap<string, LivePrice>): ReadonlyMap<string, LivePrice> {
  return new Map([...prices].map(([symbol, known]) => [symbol, { ...known, isOutdated: true }]));
}

function listed(desk: Desk, event: ListAnswer): Desk {
  const listing = desk.lists[event.name] as Listing<Rows[ListName]>;
  const identity = IDENTITIES[event.name] as Identity<Rows[ListName]>;
  const next = relist(listing, identity, event.asked, event.rows);
  if (next === listing) return desk;
  return {
    ...desk,
    lists: { ...desk.lists, [event.name]: next },
    prices: event.name === 'positions' ? withPositions(desk.prices, event.rows) : desk.prices,
  };
}

function lost(link: Link, networkAway: boolean): Link {
  const failures = link.failures + 1;
  if (networkAway || failures >= OFFLINE_AFTER_FAILURES) return { ...link, phase: 'offline', failures };
  return { ...link, phase: link.lastMessageMs === null ? 'connecting' : 'reconnecting', failures };
}

/** Returns the desk after `event`. */
export function reduce(desk: Desk, event: DeskEvent): Desk {
  switch (event.type) {
    case 'opened':
      return { ...desk, prices: outdated(desk.prices) };
    case 'heard': {
      const feed = event.feed ?? desk.link.feed;
      return { ...desk, link: { phase: 'live', lastMessageMs: event.atMs, feed, failures: 0 } };
    }
    case 'lost':
      return { ...desk, link: lost(desk.link, event.networkAway) };
    case 'ticks': {
      const prices = withTicks(desk.prices, event.ticks);
      return prices === desk.prices ? desk : { ...desk, prices };
    }
    case 'listed':
      return listed(desk, event);
    case 'listFailed': {
      const listing = desk.lists[event.name];
      if (event.asked < listing.asked) return desk;
      return {
        ...desk,
        lists: { ...desk.lists, [event.name]: { ...listing, fault: event.fault } },
      };
    }
    case 'controlled': {
      const known = desk.control.value;
      const isOld = known !== null && isBefore(event.control.updated_ts, known.updated_ts);
      return { ...desk, control: { value: isOld ? known : event.control, fault: null } };
    }
    case 'controlFailed':
      return { ...desk, control: { ...desk.control, fault: event.fault } };
    case 'sessionKnown':
      return { ...desk, session: event.session };
  }
}
