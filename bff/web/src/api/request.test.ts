import { describe, expect, it, vi } from 'vitest';

import { ask, call, faultOf, json } from './request';

const answering = (status: number, body: string, headers: Record<string, string> = {}) =>
  vi.fn(async (_path: string, _init?: RequestInit) => new Response(body, { status, headers }));

describe('requests', () => {
  it('take content and cursor out of the envelope', async () => {
    const list = '{"data":[1],"meta":{},"pagination":{"limit":1,"next_cursor":"c2"}}';
    expect(await ask(answering(200, list), '/x')).toEqual({ data: [1], nextCursor: 'c2', isFromCache: false });
    const end = answering(200, '{"data":[],"pagination":{"next_cursor":null}}', { 'x-turnstile-database': 'down' });
    expect(await ask(end, '/x')).toEqual({ data: [], nextCursor: null, isFromCache: true });
    expect(await call(answering(200, '{"data":null}'), '/x')).toBeNull();
  });

  it('send a change as JSON and are never answered from the cache of the browser', async () => {
    const fetcher = answering(200, '{"data":{}}');
    await ask(fetcher, '/x', json('POST', { mode: 'PAUSE_ALL' }));
    expect(fetcher.mock.calls[0]?.[1]).toMatchObject({
      method: 'POST',
      body: '{"mode":"PAUSE_ALL"}',
      cache: 'no-store',
      headers: { 'content-type': 'application/json' },
    });
  });

  it('carry code, words, fields and request id of a refusal', async () => {
    const body =
      '{"error":{"code":"VALIDATION","message":"unknown mode","fields":{"mode":"must be one of"},"request_id":"r-9"}}';
    await expect(call(answering(422, body), '/x')).rejects.toMatchObject({
      fault: { code: 'VALIDATION', message: 'unknown mode', fields: { mode: 'must be one of' }, requestId: 'r-9' },
      isRefusal: true,
    });
  });

  it('leave the outcome open where a gateway or the server failed', async () => {
    await expect(call(answering(502, '<html>'), '/x')).rejects.toMatchObject({
      fault: { code: 'HTTP_502', message: 'the server answered with status 502', fields: {}, requestId: null },
      isRefusal: false,
    });
  });

  it('do not take a foreign form for an answer', async () => {
    for (const body of ['<html>', '[]', '3', 'null', '{"rows":[]}']) {
      await expect(call(answering(200, body), '/x')).rejects.toMatchObject({
        fault: { code: 'BAD_ANSWER' },
        isRefusal: false,
      });
    }
  });

  it('that got no answer say whether it was the time or the network', async () => {
    const failing = (error: Error) => async (): Promise<Response> => {
      throw error;
    };
    await expect(call(failing(new TypeError('Failed to fetch')), '/x')).rejects.toMatchObject({
      fault: { code: 'NETWORK' },
      isRefusal: false,
    });
    await expect(call(failing(new DOMException('over', 'TimeoutError')), '/x')).rejects.toMatchObject({
      fault: { code: 'TIMEOUT', message: 'no answer within 10 s' },
    });
  });
});

it('anything thrown becomes a fault', () => {
  expect(faultOf(new Error('odd'))).toMatchObject({ code: 'CLIENT', message: 'Error: odd', fields: {} });
});
