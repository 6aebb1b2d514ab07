/** Requests to the BFF: one envelope, one kind of error. */

/** How long an answer may take. */
const TIMEOUT_MS = 10_000;

/** Set by the BFF while PostgreSQL is away and an answer comes from the cache. */
const DATABASE_HEADER = 'x-turnstile-database';

/** Why a request has no answer, in the server's words where it gave any. */
export interface Fault {
  code: string;
  message: string;
  /** What is wrong with each field of what was sent, by its name. */
  fields: Readonly<Record<string, string>>;
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

function faultWith(code: string, message: string): Fault {
  return { code, message, fields: {}, requestId: null };
}

/** What was thrown, as a fault. */
export function faultOf(error: unknown): Fault {
  return error instanceof ApiError ? error.fault : faultWith('CLIENT', String(error));
}

export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** What an answer carries. */
export interface Answer {
  data: unknown;
  /** Where the list goes on; null at its end. */
  nextCursor: string | null;
  /** Whether it comes from the cache because PostgreSQL is away. */
  isFromCache: boolean;
}

function unreachable(error: unknown): ApiError {
  const timedOut = error instanceof Error && error.name === 'TimeoutError';
  const fault = timedOut
    ? faultWith('TIMEOUT', `no answer within ${TIMEOUT_MS / 1000} s`)
    : faultWith('NETWORK', 'the server cannot be reached');
  return new ApiError(fault, false);
}

function refusal(status: number, body: unknown): ApiError {
  const error = (body as { error?: Record<string, unknown> } | null)?.error;
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null);
  const fields = Object.entries((error?.fields ?? {}) as Record<string, unknown>);
  return new ApiError(
    {
      code: text(error?.code) ?? `HTTP_${status}`,
      message: text(error?.message) ?? `the server answered with status ${status}`,
      fields: Object.fromEntries(fields.map(([name, why]) => [name, String(why)])),
      requestId: text(error?.request_id),
    },
    // A gateway's 5xx says nothing about what became of the request.
    status < 500,
  );
}

/** The answer of `path` is not what its description says. */
export function damaged(path: string, why = 'has an unknown form'): ApiError {
  return new ApiError(faultWith('BAD_ANSWER', `the answer of ${path} ${why}`), false);
}

/** Returns what sends `body`. */
export function json(method: 'POST' | 'PUT', body: unknown): RequestInit {
  return { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

/** Asks the server. Rejects with {@link ApiError}. */
export async function ask(fetcher: Fetch, path: string, init?: RequestInit): Promise<Answer> {
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
  const pagination = (body as { pagination?: { next_cursor?: unknown } }).pagination;
  const cursor = pagination?.next_cursor;
  return {
    data: body.data,
    nextCursor: typeof cursor === 'string' ? cursor : null,
    isFromCache: response.headers.get(DATABASE_HEADER) !== null,
  };
}

/** Returns the content of an answer's envelope. */
export async function call(fetcher: Fetch, path: string, init?: RequestInit): Promise<unknown> {
  return (await ask(fetcher, path, init)).data;
}
