/** What the server says on `/ws` (docs/api-live.md), read with care: what is damaged is left out. */

import { z } from 'zod';

import {
  zAlarmEpisode,
  zCandidate,
  zDetailed,
  zExitEvent,
  zLiveLevels,
  zOrder,
  zPositionView,
} from '../api/generated/zod.gen';

/** Topics whose rows are kept by key, with the schema of a row. */
export const TOPICS = {
  positions: { schema: zPositionView, key: 'position_id', newest: 'entry_ts' },
  orders: { schema: zOrder, key: 'order_id', newest: 'created_ts' },
  exits: { schema: zExitEvent, key: 'exit_event_id', newest: 'exit_ts' },
  candidates: { schema: zCandidate, key: 'candidate_id', newest: 'exit_ts' },
  alarms: { schema: zAlarmEpisode, key: 'id', newest: 'raised_ts' },
  levels: { schema: zLiveLevels, key: 'position_id', newest: null },
  health: { schema: zDetailed, key: null, newest: null },
} as const;

export type TopicName = keyof typeof TOPICS;

export type TopicRow<N extends TopicName> = z.infer<(typeof TOPICS)[N]['schema']>;

export const TOPIC_NAMES = Object.keys(TOPICS) as TopicName[];

export interface Tick {
  symbol: string;
  price: number;
  bid: number | null;
  ask: number | null;
  change_price: number | null;
  change_rate: number | null;
  volume: number | null;
  source: string;
  /** Exchange time, whole seconds. */
  ts: string;
  /** Microseconds since the Unix epoch, strictly increasing over all ticks. */
  logical_us: number;
  /** Null where the engine has no best price of the symbol; undefined where it was not said. */
  is_stale?: boolean | null;
}

export type PriceMode = 'redis' | 'polling';

export type ServerMessage =
  | { type: 'hello'; mode: PriceMode; epoch: string | null }
  | { type: 'subscribed'; epoch: string; resumed: string[] }
  | { type: 'snapshot'; topic: string; seq: number; rows: unknown[] }
  | { type: 'change'; topic: string; seq: number; after: number; upsert: unknown[]; removed: unknown[] }
  | { type: 'prices'; seq: number; data: Tick[] }
  | { type: 'changed'; seq: number; tables: string[] }
  | { type: 'gap'; topics: string[] }
  | { type: 'error'; code: string; message: string }
  | { type: 'ping' };

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Whether `value` can serve as a tick. Other fields than these may be missing. */
export function isTick(value: unknown): value is Tick {
  return (
    isRecord(value) &&
    typeof value.symbol === 'string' &&
    Number.isFinite(value.price) &&
    typeof value.ts === 'string' &&
    Number.isSafeInteger(value.logical_us)
  );
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Returns the message in `text`, null for one that is damaged or of an unknown kind. */
export function parseMessage(text: string): ServerMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  const seq = number(value.seq);
  switch (value.type) {
    case 'hello':
      return {
        type: 'hello',
        mode: value.mode === 'polling' ? 'polling' : 'redis',
        epoch: typeof value.epoch === 'string' ? value.epoch : null,
      };
    case 'subscribed':
      return { type: 'subscribed', epoch: String(value.epoch), resumed: strings(value.resumed) };
    case 'snapshot':
      return { type: 'snapshot', topic: String(value.topic), seq, rows: list(value.rows) };
    case 'change':
      return {
        type: 'change',
        topic: String(value.topic),
        seq,
        after: number(value.after),
        upsert: list(value.upsert),
        removed: list(value.removed),
      };
    case 'prices':
      return { type: 'prices', seq, data: list(value.data).filter(isTick) };
    case 'changed':
      return { type: 'changed', seq, tables: strings(value.tables) };
    case 'gap':
      return { type: 'gap', topics: strings(value.topics) };
    case 'error':
      return { type: 'error', code: String(value.code), message: String(value.message) };
    case 'ping':
      return { type: 'ping' };
    default:
      return null;
  }
}
