/** Reading and changing rows of the BFF. What is read follows the tables it comes from. */

import {
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type QueryClient,
} from '@tanstack/react-query';
import { useCallback } from 'react';
import { z } from 'zod';

import { useAccess } from '../access/context';
import { useNotices } from '../ui/notices';
import { ask, call, damaged, faultOf, json, type ApiError, type Fault, type Fetch } from './request';

/** Rows of a page of a list. */
const PAGE = 50;

function checked<T>(path: string, schema: z.ZodType<T>, data: unknown): T {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw damaged(path, `has an unknown form at ${issue?.path.join('.') ?? '?'}: ${issue?.message ?? '?'}`);
}

/** What a hook has read. */
export interface Read<T> {
  /** Undefined until it was read for the first time. */
  data: T | undefined;
  /** Why the last request failed; what was read before stays. */
  fault: Fault | null;
  isLoading: boolean;
  retry: () => void;
}

interface ReadOptions {
  /** Tables of the database it comes from: it is read anew when rows of one of them have changed. */
  tables?: readonly string[];
  /** How often it is read anew, for what is in no table that is followed, milliseconds. */
  everyMs?: number;
}

/** Reads one thing. A path that is null is not asked for. */
export function useRead<T>(path: string | null, schema: z.ZodType<T>, options: ReadOptions = {}): Read<T> {
  const access = useAccess();
  const query = useQuery<T, ApiError>({
    queryKey: ['api', path],
    enabled: path !== null,
    queryFn: async () => checked(path ?? '', schema, await call(access.fetch, path ?? '')),
    meta: { tables: options.tables ?? [] },
    ...(options.everyMs === undefined ? {} : { refetchInterval: options.everyMs }),
  });
  return {
    data: query.data,
    fault: query.error === null ? null : faultOf(query.error),
    isLoading: query.isLoading,
    retry: () => void query.refetch(),
  };
}

/** A list that is read page by page. */
export interface Pages<T> extends Read<T[]> {
  hasMore: boolean;
  isLoadingMore: boolean;
  more: () => void;
}

/** Reads a list with a cursor, `path` with its other parameters. A path that is null is not asked for. */
export function usePages<T>(path: string | null, row: z.ZodType<T>, options: ReadOptions = {}): Pages<T> {
  const access = useAccess();
  const query = useInfiniteQuery({
    queryKey: ['api', path, 'pages'],
    enabled: path !== null,
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam }) => {
      const url = new URL(path ?? '', window.location.origin);
      if (!url.searchParams.has('limit')) url.searchParams.set('limit', String(PAGE));
      if (pageParam !== null) url.searchParams.set('cursor', pageParam);
      const asked = url.pathname + url.search;
      const answer = await ask(access.fetch, asked);
      return { rows: checked(asked, z.array(row), answer.data), nextCursor: answer.nextCursor };
    },
    getNextPageParam: (last) => last.nextCursor,
    meta: { tables: options.tables ?? [] },
    ...(options.everyMs === undefined ? {} : { refetchInterval: options.everyMs }),
  });
  return {
    data: query.data?.pages.flatMap((page) => page.rows),
    fault: query.error === null ? null : faultOf(query.error),
    isLoading: query.isLoading,
    retry: () => void query.refetch(),
    hasMore: query.hasNextPage,
    isLoadingMore: query.isFetchingNextPage,
    more: () => void query.fetchNextPage(),
  };
}

interface ChangeOptions<Body, Row> {
  /** What of the page shows the change before the server has answered; returns what takes it back. */
  expect?: (body: Body, client: QueryClient) => () => void;
  /** Called with the row as the server has it now. */
  settled?: (row: Row, body: Body, client: QueryClient) => void;
  /** Paths that are read anew after the change, whatever became of it. */
  rereads?: readonly string[];
  /** Said where it went well. */
  done?: (row: Row) => string;
  /** Whether the form shows faults itself; otherwise a notice does. */
  isQuiet?: boolean;
}

/** A change that is sent when it is called. */
export interface Change<Body, Row> {
  /** Sends it. Resolves with the row, or with null where it failed. Never rejects. */
  send: (body: Body) => Promise<Row | null>;
  isSending: boolean;
  fault: Fault | null;
  /** False when it is not known whether the server carried the change out. */
  isRefusal: boolean;
  reset: () => void;
}

/** Changes something: `target` says where to, by what is sent. */
export function useChange<Body, Row>(
  method: 'POST' | 'PUT',
  target: string | ((body: Body) => string),
  schema: z.ZodType<Row>,
  options: ChangeOptions<Body, Row> = {},
  strip: (body: Body) => unknown = (body) => body,
): Change<Body, Row> {
  const access = useAccess();
  const client = useQueryClient();
  const notices = useNotices();
  const mutation = useMutation<Row, ApiError, Body, (() => void) | undefined>({
    mutationFn: async (body) => {
      const path = typeof target === 'string' ? target : target(body);
      return checked(path, schema, await call(access.fetch, path, json(method, strip(body))));
    },
    onMutate: (body) => options.expect?.(body, client),
    onError: (error, _body, takeBack) => {
      takeBack?.();
      if (options.isQuiet !== true) notices.fault(faultOf(error), error.isRefusal);
    },
    onSuccess: (row, body) => {
      options.settled?.(row, body, client);
      if (options.done !== undefined) notices.say(options.done(row));
    },
    onSettled: () => {
      for (const path of options.rereads ?? []) reread(client, path);
    },
  });
  const { mutateAsync } = mutation;
  const send = useCallback((body: Body) => mutateAsync(body).catch(() => null), [mutateAsync]);
  return {
    send,
    isSending: mutation.isPending,
    fault: mutation.error === null ? null : faultOf(mutation.error),
    isRefusal: mutation.error?.isRefusal ?? true,
    reset: mutation.reset,
  };
}

/** Reads everything anew of which the path begins with `path`. */
export function reread(client: QueryClient, path: string): void {
  void client.invalidateQueries({
    predicate: ({ queryKey }) => typeof queryKey[1] === 'string' && queryKey[1].startsWith(path),
  });
}

/** Puts `change` of what was read from `path` on the page; returns what takes it back. */
export function patch<T>(client: QueryClient, path: string, change: (now: T) => T): () => void {
  const key = ['api', path];
  const before = client.getQueryData<T>(key);
  if (before === undefined) return () => {};
  client.setQueryData<T>(key, change(before));
  return () => client.setQueryData<T>(key, before);
}

/** Asks once, outside of a component's life. */
export async function readOnce<T>(fetcher: Fetch, path: string, schema: z.ZodType<T>, init?: RequestInit): Promise<T> {
  return checked(path, schema, await call(fetcher, path, init));
}
