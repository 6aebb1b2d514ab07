import { QueryClient } from '@tanstack/react-query';
import { expect, it } from 'vitest';

import { patch, reread } from './hooks';

it('a change is on the page at once, and can be taken back', () => {
  const client = new QueryClient();
  client.setQueryData(['api', '/control'], { mode: 'RUNNING', reason: null });
  const takeBack = patch<{ mode: string }>(client, '/control', (now) => ({ ...now, mode: 'PAUSE_ALL' }));
  expect(client.getQueryData(['api', '/control'])).toEqual({ mode: 'PAUSE_ALL', reason: null });
  takeBack();
  expect(client.getQueryData(['api', '/control'])).toEqual({ mode: 'RUNNING', reason: null });
});

it('a change of what was not read changes nothing', () => {
  const client = new QueryClient();
  patch(client, '/control', () => ({ mode: 'PAUSE_ALL' }))();
  expect(client.getQueryData(['api', '/control'])).toBeUndefined();
});

it('what lies below a path is read anew, lists and their pages alike', () => {
  const client = new QueryClient();
  for (const key of [['api', '/orders?limit=9'], ['api', '/orders/1'], ['api', '/orders', 'pages'], ['api', '/risk'], ['other']]) {
    client.setQueryData(key, {});
  }
  reread(client, '/orders');
  const anew = client.getQueryCache().getAll().filter(({ state }) => state.isInvalidated);
  expect(anew.map(({ queryKey }) => queryKey[1])).toEqual(['/orders?limit=9', '/orders/1', '/orders']);
});
