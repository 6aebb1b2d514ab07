import { describe, expect, it, vi } from 'vitest';

import { Access, may } from './session';

const TRADER = { name: 'desk', role: 'TRADER', has_token: true, csrf_token: 'c1' };

function answering(...answers: [number, unknown][]) {
  const fetcher = vi.fn(async (_path: string, _init?: RequestInit) => {
    const [status, body] = answers.shift() ?? [500, {}];
    return new Response(JSON.stringify(body), { status });
  });
  const headers = (call: number) => new Headers(fetcher.mock.calls[call]?.[1]?.headers);
  return { fetcher, headers };
}

describe('the session', () => {
  it('asks for a token where the server wants one', async () => {
    const { fetcher } = answering([401, { error: { code: 'UNAUTHORIZED', message: 'no' } }]);
    expect(await new Access(fetcher).who()).toBeNull();
  });

  it('does not ask for one where the server does not answer', async () => {
    const access = new Access(async () => {
      throw new TypeError('gone');
    });
    await expect(access.who()).rejects.toThrow('cannot be reached');
  });

  it('repeats its value with changes only', async () => {
    const { fetcher, headers } = answering([200, { data: TRADER }], [200, {}], [200, {}]);
    const access = new Access(fetcher);
    expect(await access.signIn('turnstile_a.b')).toEqual({ name: 'desk', role: 'TRADER', hasToken: true });
    await access.fetch('/x', { method: 'POST', headers: { 'content-type': 'application/json' } });
    await access.fetch('/x');
    expect(headers(1).get('x-csrf-token')).toBe('c1');
    expect(headers(1).get('content-type')).toBe('application/json');
    expect(headers(2).get('x-csrf-token')).toBeNull();
  });

  it('tells when the server no longer knows it', async () => {
    const { fetcher } = answering([401, {}]);
    const access = new Access(fetcher);
    access.onEnded = vi.fn();
    await access.fetch('/x');
    expect(access.onEnded).toHaveBeenCalledOnce();
  });

  it('takes an unknown role for the least', async () => {
    const { fetcher } = answering([200, { data: { ...TRADER, role: 'OWNER' } }]);
    expect((await new Access(fetcher).who())?.role).toBe('VIEWER');
  });
});

it('a role may what the ones before it may', () => {
  expect(may('VIEWER', 'TRADER')).toBe(false);
  expect(may('TRADER', 'TRADER')).toBe(true);
  expect(may('ADMIN', 'TRADER')).toBe(true);
});
