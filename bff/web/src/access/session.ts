/** Who uses the desk: signing in with a token, and what every change of the session repeats. */

import { ApiError, call, json, type Fetch } from '../api/request';

export type Role = 'VIEWER' | 'TRADER' | 'ADMIN';

const ROLES: readonly Role[] = ['VIEWER', 'TRADER', 'ADMIN'];
const PATH = '/api/v1/session';
const CSRF = 'x-csrf-token';

export interface Session {
  name: string;
  role: Role;
  /** False while the server has no token: then this machine may do everything. */
  hasToken: boolean;
}

/** Whether `role` may do what needs `needed`. */
export function may(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** The session of this page. */
export class Access {
  /** Called when the server no longer knows the session. */
  onEnded: () => void = () => {};
  private csrf: string | null = null;

  constructor(private readonly fetcher: Fetch = (path, init) => fetch(path, init)) {}

  /** Requests as this session: changes carry the value that only its pages know. */
  readonly fetch: Fetch = async (path, init) => {
    const isChange = init?.method !== undefined && init.method !== 'GET';
    const headers = new Headers(init?.headers);
    if (isChange && this.csrf !== null) headers.set(CSRF, this.csrf);
    const response = await this.fetcher(path, { ...init, headers });
    if (response.status === 401) this.onEnded();
    return response;
  };

  /** Who uses this page; null where a token is needed first. Rejects where the server does not answer. */
  async who(): Promise<Session | null> {
    try {
      return this.take(await call(this.fetcher, PATH));
    } catch (error) {
      if (error instanceof ApiError && error.fault.code === 'UNAUTHORIZED') return null;
      throw error;
    }
  }

  async signIn(token: string): Promise<Session> {
    return this.take(await call(this.fetcher, PATH, json('POST', { token })));
  }

  async signOut(): Promise<void> {
    await call(this.fetch, `${PATH}/end`, json('POST', {}));
    this.csrf = null;
  }

  private take(data: unknown): Session {
    const { name, role, has_token, csrf_token } = data as Record<string, unknown>;
    this.csrf = typeof csrf_token === 'string' ? csrf_token : null;
    return {
      name: String(name),
      // A role of a later server may do what the least may.
      role: ROLES.find((known) => known === role) ?? 'VIEWER',
      hasToken: has_token === true,
    };
  }
}
