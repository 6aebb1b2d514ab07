import { useEffect, useState } from 'react';

import type { Link, LinkPhase } from '../feed/desk';
import css from './ConnectionState.module.css';

const LABELS: Record<LinkPhase, string> = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
};

/** From this age on a live link reads as quiet. */
const QUIET_AFTER_S = 15;

function useNowMs(): number | null {
  const [now, setNow] = useState<number | null>(null);
  useEffect(() => {
    const update = () => setNow(Date.now());
    update();
    const timer = setInterval(update, 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** Whether what is shown is alive. Only the state is announced, not every second of its age. */
export function ConnectionState({ link }: { link: Link }) {
  const now = useNowMs();
  const seconds =
    now === null || link.lastMessageMs === null
      ? null
      : Math.max(0, Math.floor((now - link.lastMessageMs) / 1000));
  const isQuiet = link.phase === 'live' && seconds !== null && seconds >= QUIET_AFTER_S;
  return (
    <div className={css.state} data-phase={link.phase} data-quiet={isQuiet}>
      <span className={css.dot} aria-hidden="true" />
      <span role="status" aria-live="polite" className={css.label} data-testid="connection">
        {LABELS[link.phase]}
        {link.phase === 'live' && link.feed === 'polling' && ' (polling the database)'}
      </span>
      {seconds !== null && <span className={css.age}>last message {seconds} s ago</span>}
    </div>
  );
}
