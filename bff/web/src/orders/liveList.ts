/** Lists of which the newest rows come by themselves, and older ones once they are asked for. */

import { useCallback, useMemo, useState } from 'react';
import type { z } from 'zod';

import { usePages } from '../api/hooks';
import { isBefore } from '../live/instant';
import { TOPICS, type TopicRow } from '../live/messages';
import { useTopic } from '../live/provider';

const PATHS = {
  orders: '/api/v1/orders?limit=100',
  exits: '/api/v1/exit-events?limit=100',
  candidates: '/api/v1/reentry/candidates?limit=100',
} as const;

type Name = keyof typeof PATHS;

/** Rows of the first snapshot of a topic at most; where it has fewer there are no older ones. */
const SNAPSHOT = 100;

type Field = Record<string, unknown>;

/** The later of two texts of one row wins; a row that never changes has no time of change. */
function isLater(row: Field, known: Field): boolean {
  return !isBefore(String(row.updated_ts ?? ''), String(known.updated_ts ?? ''));
}

/** Returns the rows of `name`, newest first, and what loads older ones. */
export function useLiveList<N extends Name>(name: N) {
  const { rows: live, isReady } = useTopic(name);
  const [isOlder, setOlder] = useState(false);
  const schema = TOPICS[name].schema as unknown as z.ZodType<TopicRow<N>>;
  const pages = usePages(isOlder ? PATHS[name] : null, schema);
  const { data, more, hasMore: hasNext, isLoadingMore, isLoading } = pages;
  const { key, newest } = TOPICS[name];
  const older = data?.length ?? 0;
  const rows = useMemo(() => {
    const byKey = new Map<string, TopicRow<N>>();
    for (const row of [...(data ?? []), ...live]) {
      const id = String((row as Field)[key]);
      const known = byKey.get(id);
      if (known === undefined || isLater(row as Field, known as Field)) byKey.set(id, row);
    }
    // All times have the offset of Seoul, so their texts sort as they do.
    const at = (row: TopicRow<N>) => String((row as Field)[newest]);
    return [...byKey.values()].sort((a, b) => (at(a) < at(b) ? 1 : at(a) > at(b) ? -1 : 0));
    // `data` is another array with every render; its rows are the same while there are as many.
  }, [live, older, key, newest]);
  const loadMore = useCallback(() => {
    if (!isOlder) setOlder(true);
    else if (!isLoadingMore && !isLoading) more();
  }, [isOlder, isLoadingMore, isLoading, more]);
  return {
    rows,
    isReady,
    hasMore: isOlder ? hasNext : live.length >= SNAPSHOT,
    isLoadingMore: isLoadingMore || isLoading,
    fault: pages.fault,
    retry: pages.retry,
    loadMore,
  };
}
