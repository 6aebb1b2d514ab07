import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { followTables } from './tables';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function fixture() {
  const client = new QueryClient();
  let tell: (tables: readonly string[] | 'all') => void = () => {};
  const end = followTables({ listenToTables: (listener) => ((tell = listener), () => (tell = () => {})) }, client);
  const keep = (path: string, tables: string[]) =>
    void client.fetchQuery({ queryKey: ['api', path], queryFn: async () => path, meta: { tables } });
  keep('/orders', ['trade.orders', 'trade.order_events']);
  keep('/rules', ['trade.exit_rules']);
  keep('/metrics', []);
  const anew = () => client.getQueryCache().getAll().filter(({ state }) => state.isInvalidated).map(({ queryKey }) => queryKey[1]);
  const invalidate = vi.spyOn(client, 'invalidateQueries');
  return { tell: (tables: readonly string[] | 'all') => tell(tables), end, anew, invalidate };
}

const pass = () => vi.advanceTimersByTimeAsync(200);

it('what comes from a table that has changed is read anew, a burst at once', async () => {
  const { tell, end, anew, invalidate } = fixture();
  await pass();
  for (let i = 0; i < 20; i += 1) tell(['trade.order_events', 'trade.positions']);
  await pass();
  expect(invalidate).toHaveBeenCalledOnce();
  expect(anew()).toEqual(['/orders']);
  end();
});

it('after a gap all of it is, but not what comes from no table', async () => {
  const { tell, end, anew } = fixture();
  await pass();
  tell(['trade.exit_rules']);
  tell('all');
  await pass();
  expect(anew()).toEqual(['/orders', '/rules']);
  end();
});

it('nothing is once it has ended', async () => {
  const { tell, end, invalidate } = fixture();
  tell('all');
  end();
  await pass();
  expect(invalidate).not.toHaveBeenCalled();
});
