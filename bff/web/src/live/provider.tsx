'use client';

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createContext, useCallback, useContext, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';

import { useAccess } from '../access/context';
import { ApiError, call, json } from '../api/request';
import { Live, type Link, type Socket, type SocketListener } from './live';
import type { TopicName, TopicRow } from './messages';
import type { LivePrice } from './prices';
import { followTables } from './tables';

/** What a user has seen stays that long for when they come back to a page. */
const KEPT_MS = 5 * 60_000;

const Context = createContext<Live | null>(null);

function openSocket(listener: SocketListener): Socket {
  const url = new URL('/ws', window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url);
  socket.onmessage = (event) => listener.heard(event.data);
  // A failed attempt ends with a close as well.
  socket.onclose = () => listener.closed();
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => {
      socket.onmessage = null;
      socket.onclose = null;
      socket.close();
    },
  };
}

function newClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        gcTime: KEPT_MS,
        staleTime: 10_000,
        refetchOnWindowFocus: false,
        // What the server refuses it refuses again.
        retry: (failures, error) => failures < 3 && !(error instanceof ApiError && error.isRefusal),
        retryDelay: (failures) => Math.min(1_000 * 2 ** failures, 15_000),
      },
      mutations: { retry: false },
    },
  });
}

/** Holds the connection of the page, and what was read, for everything below. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const access = useAccess();
  const [client] = useState(newClient);
  const [live, setLive] = useState<Live | null>(null);
  useEffect(() => {
    // Of a socket that is refused nobody learns that the session is over; of a request the gate does.
    const askWho = () => void access.fetch('/api/v1/session').catch(() => {});
    const made = new Live({
      openSocket: (listener) =>
        openSocket({
          heard: listener.heard,
          closed: () => {
            listener.closed();
            askWho();
          },
        }),
      fetchPrices: async (symbols) => {
        const data = await call(access.fetch, '/api/v1/prices/batch', json('POST', { symbols }));
        return Array.isArray(data) ? data : [];
      },
      isNetworkAway: () => !navigator.onLine,
      nowMs: () => Date.now(),
      random: Math.random,
    });
    const endTables = followTables(made, client);
    const online = () => made.reconnectNow();
    window.addEventListener('online', online);
    made.start();
    setLive(made);
    return () => {
      window.removeEventListener('online', online);
      endTables();
      made.stop();
    };
  }, [access, client]);
  if (live === null) return null;
  return (
    <QueryClientProvider client={client}>
      <Context.Provider value={live}>{children}</Context.Provider>
    </QueryClientProvider>
  );
}

export function useLive(): Live {
  const live = useContext(Context);
  if (live === null) throw new Error('useLive is for what stands below LiveProvider');
  return live;
}

/** The state of the connection. */
export function useLink(): Link {
  const live = useLive();
  return useSyncExternalStore(live.listenToLink, live.linkNow);
}

/** The rows of a topic, newest first; `isReady` false until they are known. */
export function useTopic<N extends TopicName>(name: N): { rows: readonly TopicRow<N>[]; isReady: boolean } {
  const topic = useLive().rows[name];
  const rows = useSyncExternalStore(topic.listen, topic.now) as readonly TopicRow<N>[];
  return { rows, isReady: topic.isReady };
}

/** The newest price of `symbol`, which is followed while the component stands. */
export function usePrice(symbol: string | null): LivePrice | undefined {
  const live = useLive();
  useEffect(() => (symbol === null ? undefined : live.want(symbol)), [live, symbol]);
  const subscribe = useCallback(
    (listener: () => void) => (symbol === null ? () => {} : live.prices.listen(symbol, listener)),
    [live, symbol],
  );
  return useSyncExternalStore(subscribe, () => (symbol === null ? undefined : live.prices.get(symbol)));
}

/** Follows the prices of all of `symbols` while the component stands, for sums over them: `useLive().prices` has them. */
export function useAllPrices(symbols: readonly string[]): void {
  const live = useLive();
  const key = [...new Set(symbols)].sort().join();
  useEffect(() => {
    const ends = key === '' ? [] : key.split(',').map((symbol) => live.want(symbol));
    return () => ends.forEach((end) => end());
  }, [live, key]);
}
