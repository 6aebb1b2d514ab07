/** What the BFF sends, as documented in its OpenAPI description. Prices in KRW, times RFC 3339. */

export type ControlMode = 'RUNNING' | 'PAUSE_PROFIT' | 'PAUSE_ALL' | 'EMERGENCY_FLATTEN';

export interface Position {
  position_id: string;
  symbol: string;
  name: string | null;
  qty: number;
  original_qty: number;
  avg_price: number;
  status: string;
  phase: string | null;
  stop_floor: number | null;
  strategy_id: string;
  exit_mode: string;
  exit_profile_id: string | null;
  cycle: number;
  /** Grows with every change of quantity or average price. */
  version: number;
  entry_ts: string;
  closed_ts: string | null;
  last_price?: number | null;
  bid?: number | null;
  price_ts?: string | null;
}

export interface Order {
  order_id: string;
  action_key: string;
  position_id: string | null;
  symbol: string;
  name: string | null;
  side: string;
  intent_type: string;
  qty: number;
  filled_qty: number;
  order_type: string;
  limit_price: number | null;
  reason_code: string;
  phase: string | null;
  price: number;
  level: number;
  status: string;
  broker_order_no: string | null;
  created_ts: string;
  updated_ts: string;
  message?: string | null;
}

export interface Execution {
  fill_id: string;
  order_id: string;
  symbol: string;
  name: string | null;
  side: string;
  ts: string;
  qty: number;
  price: number;
  fee: number;
  tax: number;
  source: string;
}

export interface ExitEvent {
  exit_event_id: string;
  position_id: string;
  symbol: string;
  name: string | null;
  exit_ts: string;
  exit_qty: number;
  exit_avg_price: number;
  exit_reason_code: string;
  source: string;
  realized_pnl: number;
  realized_pnl_pct: number;
}

export interface ReentryVerdict {
  id: number;
  candidate_id: string;
  exit_event_id: string;
  symbol: string;
  name: string | null;
  ts: string;
  status: string;
  gate: string | null;
  reason: string | null;
  price: number | null;
  order_id: string | null;
  rule_id: string | null;
}

export interface ExitControl {
  mode: ControlMode;
  reason: string | null;
  updated_by: string;
  updated_ts: string;
}

export interface Tick {
  symbol: string;
  price: number;
  bid: number | null;
  ask: number | null;
  change_price: number | null;
  change_rate: number | null;
  volume: number | null;
  /** Exchange time, whole seconds. */
  ts: string;
  /** Microseconds since the Unix epoch, strictly increasing over all ticks. */
  logical_us: number;
}

export type FeedMode = 'redis' | 'polling';

export type ServerMessage =
  | { type: 'hello'; server_time: string; mode: FeedMode }
  | { type: 'prices'; data: Tick[] }
  | { type: 'changed'; tables: string[] }
  | { type: 'ping' };

/** The lists of the desk, by the name of their slot. */
export interface Rows {
  positions: Position;
  orders: Order;
  executions: Execution;
  exitEvents: ExitEvent;
  reentry: ReentryVerdict;
}

export type ListName = keyof Rows;

export type ResourceName = ListName | 'control';

export const LIST_NAMES: readonly ListName[] = [
  'positions',
  'orders',
  'executions',
  'exitEvents',
  'reentry',
];

export const RESOURCE_NAMES: readonly ResourceName[] = ['control', ...LIST_NAMES];

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

/** Returns the message in `text`, null for one that is damaged or of an unknown kind. */
export function parseMessage(text: string): ServerMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value)) return null;
  switch (value.type) {
    case 'hello':
      return {
        type: 'hello',
        server_time: String(value.server_time),
        mode: value.mode === 'polling' ? 'polling' : 'redis',
      };
    case 'prices':
      return Array.isArray(value.data) ? { type: 'prices', data: value.data.filter(isTick) } : null;
    case 'changed':
      return Array.isArray(value.tables)
        ? { type: 'changed', tables: value.tables.filter((table) => typeof table === 'string') }
        : null;
    case 'ping':
      return { type: 'ping' };
    default:
      return null;
  }
}
