/** Rows of the watchlist: how they are read, changed and settled. */

import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { z } from 'zod';

import { useAdmission } from '../access/context';
import { zWatched } from '../api/generated/zod.gen';
import { useChange, usePages, type Change, type Pages } from '../api/hooks';

const PATH = '/api/v1/watchlist';

export const LISTS = ['watch', 'candidate'] as const;

export type List = (typeof LISTS)[number];

export type Watched = z.infer<typeof zWatched>;

/** What somebody says of a symbol. What is null is taken away. */
export interface Said {
  memo: string | null;
  target_price: number | null;
  alert_enabled: boolean;
  alert_price: number | null;
  alert_condition: string | null;
  reason: string | null;
}

/** Where a change goes. */
export interface Place {
  list: List;
  symbol: string;
}

/** What is said of a symbol; `version` is the one it is changed from, null where it is new on the list. */
export interface Saying extends Place {
  version: number | null;
  said: Said;
}

const pathOf = (list: string) => `${PATH}?category=${list}&limit=100`;

const at = ({ list, symbol }: Place) => `${PATH}/${list}/${symbol}`;

type Read = InfiniteData<{ rows: Watched[]; nextCursor: string | null }>;

/** Changes the rows of a list that the page shows; returns what takes it back. */
function rewrite(client: QueryClient, list: string, change: (rows: Watched[]) => Watched[]): () => void {
  const key = ['api', pathOf(list), 'pages'];
  const before = client.getQueryData<Read>(key);
  if (before === undefined) return () => {};
  client.setQueryData<Read>(key, {
    ...before,
    pages: before.pages.map((page) => ({ ...page, rows: change(page.rows) })),
  });
  return () => client.setQueryData<Read>(key, before);
}

function put(client: QueryClient, row: Watched): void {
  rewrite(client, row.category, (rows) => rows.map((one) => (one.symbol === row.symbol ? row : one)));
}

/** Returns what a row says now. */
export function saidOf(row: Watched): Said {
  return {
    memo: row.memo ?? null,
    target_price: row.target_price ?? null,
    alert_enabled: row.alert_enabled,
    alert_price: row.alert_price ?? null,
    alert_condition: row.alert_condition ?? null,
    reason: row.reason ?? null,
  };
}

/** All symbols of a list. It is short: every page of it is read. */
export function useWatched(list: List): Pages<Watched> {
  const pages = usePages(pathOf(list), zWatched, { tables: ['strategy.watchlist'], everyMs: 60_000 });
  const { hasMore, isLoadingMore, more } = pages;
  useEffect(() => {
    if (hasMore && !isLoadingMore) more();
  }, [hasMore, isLoadingMore, more]);
  return pages;
}

/** The name that signs a change: the server wants one even while it has no token. */
function useSigner(): string | null {
  return useAdmission().session?.name ?? null;
}

/** Puts a symbol on a list, or changes what is said of it. */
export function useSaying(isNew: boolean, options: { isQuiet: boolean; done: (row: Watched) => string }): Change<Saying, Watched> {
  const signer = useSigner();
  return useChange<Saying, Watched>(
    isNew ? 'POST' : 'PUT',
    (saying) => (isNew ? PATH : at(saying)),
    zWatched,
    {
      ...options,
      expect: ({ list, symbol, said }, client) =>
        rewrite(client, list, (rows) => rows.map((row) => (row.symbol === symbol ? { ...row, ...said } : row))),
      settled: (row, _saying, client) => put(client, row),
      rereads: [PATH],
    },
    ({ list, symbol, version, said }) => ({
      ...said,
      ...(isNew ? { symbol, category: list } : { version }),
      updated_by: signer,
    }),
  );
}

export interface Removal extends Place {
  reason: string;
}

/** Takes a symbol off a list. */
export function useRemoval(done: (row: Watched) => string): Change<Removal, Watched> {
  const signer = useSigner();
  return useChange<Removal, Watched>(
    'POST',
    (removal) => `${at(removal)}/remove`,
    zWatched,
    {
      expect: ({ list, symbol }, client) => rewrite(client, list, (rows) => rows.filter((row) => row.symbol !== symbol)),
      rereads: [PATH],
      done,
    },
    ({ reason }) => ({ ...(reason.trim() === '' ? {} : { reason }), asked_by: signer }),
  );
}
