/** Requests to the BFF: one envelope, one kind of error. */

import type { ControlMode, ExitControl, ListName, ResourceName, Rows } from './messages';

/** How long an answer may take. */
const TIMEOUT_MS = 10_000;

/** Rows asked for per list. */
const LIMIT = 50;

const PATHS: Record<ListName, string> = {
  positions: '/api/v1/positions?status=live&limit=100',
  orders: `/api/v1/orders?limit=${LIMIT}`,
  executions: `/api/v1/executions?limit=${LIMIT}`,
  exitEvents: `/api/v1/exit-events?limit=${LIMIT}`,
  reentry: `/api/v1/reentry/history?limit=${LIMIT}`,
};

const CONTROL_PATH = '/api/v1/exit/control';
const PRICES_PATH = '/api/v1/prices/batch';

/** Why a request has no answer, in the server's words where it gave any. */
export interface Fault {
  code: string;
  message: string;
  requestId: string | null;
}

/** A request that failed. */
export class ApiError extends Error {
  readonly fault: Fault;
  /** False when it is not known whether the server carried the request out. */
  readonly isRefusal: boolean;

  constructor(fault: Fault, isRefusal: boolean) {
    super(fault.message);
    this.name = 'ApiError';
    this.fault = fault;
    this.isRefusal = isRefusal;
  }
}

/** What was thrown, as a fault. */
export function faultOf(error: unknown): Fault {
  if (error instanceof ApiError) return error.fault;
  return { code: 'CLIENT', message: String(error), requestId: null };
}

export type ControlChange = { mode: ControlMode; reason: string; updated_by: string };

/** What the desk asks of the server. Every call rejects with {@link ApiError}. */
export interface Api {
  list<N extends ListName>(name: N): Promise<Rows[N][]>;
  control(): Promise<ExitControl>;
  setControl(change: ControlChange): Promise<ExitControl>;
  prices(symbols: readonly string[]): Promise<unknown[]>;
  session(): Promise<string | null>;
}

export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

function unreachable(error: unknown): ApiError {
  const timedOut = error instanceof Error && error.name === 'TimeoutError';
  return new ApiError(
    timedOut
      ? { code: 'TIMEOUT', message: `no answer within ${TIMEOUT_MS / 1000} s`, requestId: null }
      : { code: 'NETWORK', message: 'the server cannot be reached', requestId: null },
    false,
  );
}

function refusal(status: number, body: unknown): ApiError {
  const error = (body as { error?: Record<string, unknown> } | null)?.error;
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null);
  return new ApiError(
    {
      code: text(error?.code) ?? `HTTP_${status}`,
      message: text(error?.message) ?? `the server answered with status ${status}`,
      requestId: text(error?.request_id),
    },
    // A gateway's 5xx says nothing about what became of the request.
    status < 500,
  );
}

/** Returns what sends `body`. */
export function json(method: 'POST' | 'PUT', body: unknown): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** Returns the content of an answer's envelope. */
export async function call(fetcher: Fetch, path: string, init?: RequestInit): Promise<unknown> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetcher(path, {
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...init,
    });
    const text = await response.text();
    try {
      body = JSON.parse(text);
    } catch {
      body = null;
    }
  } catch (error) {
    throw unreachable(error);
  }
  if (!response.ok) throw refusal(response.status, body);
  if (typeof body !== 'object' || body === null || !('data' in body)) throw damaged(path);
  return body.data;
}

function damaged(path: string): ApiError {
  return new ApiError(
    { code: 'BAD_ANSWER', message: `the answer of ${path} has an unknown form`, requestId: null },
    false,
  );
}

function controlOf(data: unknown): ExitControl {
  if (typeof (data as ExitControl | null)?.mode !== 'string') throw damaged(CONTROL_PATH);
  return data as ExitControl;
}

/** Returns the API at the address of the page. */
export function httpApi(fetcher: Fetch = (path, init) => fetch(path, init)): Api {
  return {
    async list<N extends ListName>(name: N) {
      const data = await call(fetcher, PATHS[name]);
      if (!Array.isArray(data)) throw damaged(PATHS[name]);
      return data as Rows[N][];
    },
    async control() {
      return controlOf(await call(fetcher, CONTROL_PATH));
    },
    async setControl(change) {
      return controlOf(await call(fetcher, CONTROL_PATH, json('POST', change)));
    },
    async prices(symbols) {
      const data = await call(fetcher, PRICES_PATH, json('POST', { symbols }));
      if (!Array.isArray(data)) throw damaged(PRICES_PATH);
      return data;
    },
    async session() {
      const data = await call(fetcher, '/api/health/detailed');
      const session = (data as { market_session?: unknown } | null)?.market_session;
      return typeof session === 'string' ? session : null;
    },
  };
}

const FOLLOWED: Record<string, ResourceName> = {
  'trade.positions': 'positions',
  'trade.position_state': 'positions',
  'trade.orders': 'orders',
  'trade.order_events': 'orders',
  'trade.executions': 'executions',
  'trade.exit_events': 'exitEvents',
  'trade.reentry_history': 'reentry',
  'trade.exit_control': 'control',
};

/** Returns what shows rows of `table`, null if nothing on the desk does. */
export function resourceOf(table: string): ResourceName | null {
  return FOLLOWED[table] ?? null;
}
