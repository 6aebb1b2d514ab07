import { useEffect, useState, useSyncExternalStore } from 'react';

import { SignedIn } from '../access/SignedIn';
import { may, type Access, type Session } from '../access/session';
import { ControlBar } from '../control/ControlBar';
import { httpApi, type Api } from '../feed/api';
import { INITIAL } from '../feed/desk';
import { Feed } from '../feed/feed';
import { Store } from '../feed/store';
import { ConnectionState } from './ConnectionState';
import css from './Desk.module.css';
import { ExecutionsPanel, ExitEventsPanel, OrdersPanel, ReentryPanel } from './HistoryPanels';
import { PositionsPanel } from './PositionsPanel';

interface Connection {
  api: Api;
  store: Store;
  feed: Feed;
}

const idle = () => () => {};
const initial = () => INITIAL;

function connect(access: Access): Connection {
  const api = httpApi(access.fetch);
  const store = new Store();
  const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
  const feed = new Feed(store, {
    api,
    openSocket: (listener) => {
      const socket = new WebSocket(`${scheme}://${window.location.host}/ws`);
      socket.onopen = listener.opened;
      socket.onmessage = (event) => listener.heard(event.data);
      socket.onclose = listener.closed;
      return socket;
    },
    isNetworkAway: () => !navigator.onLine,
    nowMs: () => Date.now(),
    random: Math.random,
  });
  return { api, store, feed };
}

interface DeskProps {
  access: Access;
  /** Null while the server does not answer. */
  session: Session | null;
  onSignedOut: () => void;
}

/** The operator's desk. */
export function Desk({ access, session, onSignedOut }: DeskProps) {
  const [connection, setConnection] = useState<Connection | null>(null);
  useEffect(() => {
    const fresh = connect(access);
    const retry = () => fresh.feed.reconnectNow();
    setConnection(fresh);
    fresh.feed.start();
    window.addEventListener('online', retry);
    return () => {
      window.removeEventListener('online', retry);
      fresh.feed.stop();
    };
  }, [access]);
  const desk = useSyncExternalStore(
    connection?.store.subscribe ?? idle,
    connection?.store.snapshot ?? initial,
    initial,
  );
  const feed = connection?.feed ?? null;
  const { lists } = desk;
  return (
    <>
      <header className={css.header}>
        <div className={css.bar}>
          <h1 className={css.name}>Turnstile</h1>
          {desk.session !== null && (
            <span className={css.session}>
              Market <b>{desk.session}</b>
            </span>
          )}
          <ConnectionState link={desk.link} />
          {session !== null && <SignedIn access={access} session={session} onSignedOut={onSignedOut} />}
        </div>
        <ControlBar
          control={desk.control}
          positions={lists.positions.rows?.length ?? null}
          api={connection?.api ?? null}
          isAllowed={session === null || may(session.role, 'TRADER')}
          actor={session?.hasToken ? session.name : null}
          onChanged={(control) => connection?.store.dispatch({ type: 'controlled', control })}
          onUnsure={() => feed?.refetch('control')}
        />
      </header>
      <main className={css.main}>
        {(desk.link.phase === 'reconnecting' || desk.link.phase === 'offline') && (
          <p className={css.outdated}>
            Not live: prices, orders and positions below are as of the last message.
          </p>
        )}
        <PositionsPanel listing={lists.positions} prices={desk.prices} feed={feed} />
        <OrdersPanel listing={lists.orders} feed={feed} />
        <div className={css.pair}>
          <ExitEventsPanel listing={lists.exitEvents} feed={feed} />
          <ExecutionsPanel listing={lists.executions} feed={feed} />
        </div>
        <ReentryPanel listing={lists.reentry} feed={feed} />
      </main>
    </>
  );
}
