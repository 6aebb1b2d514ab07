/** What was read from tables of the database follows them. */

import type { QueryClient } from '@tanstack/react-query';

import type { Live } from './live';

/** How long changed tables are gathered before what comes from them is read anew. */
const LINGER_MS = 150;

/** Reads anew what comes from tables that have changed, a burst at once. */
export function followTables(live: Pick<Live, 'listenToTables'>, client: QueryClient): () => void {
  const changed = new Set<string>();
  let isAll = false;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const flush = () => {
    timer = null;
    const tables = new Set(changed);
    const all = isAll;
    changed.clear();
    isAll = false;
    void client.invalidateQueries({
      predicate: ({ meta }) => {
        const from = (meta?.tables ?? []) as readonly string[];
        return from.length > 0 && (all || from.some((table) => tables.has(table)));
      },
    });
  };
  const end = live.listenToTables((tables) => {
    if (tables === 'all') isAll = true;
    else tables.forEach((table) => changed.add(table));
    timer ??= setTimeout(flush, LINGER_MS);
  });
  return () => {
    end();
    if (timer !== null) clearTimeout(timer);
  };
}
