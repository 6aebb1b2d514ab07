'use client';

import Link from 'next/link';

import { useLink, useTopic } from '../live/provider';
import { texts, useText } from '../text/text';
import css from './HealthStrip.module.css';

const TEXT = texts(
  {
    link: 'Connection',
    database: 'PostgreSQL',
    cache: 'Redis',
    feed: 'Changes',
    prices: 'Prices',
    live: 'live',
    connecting: 'connecting',
    reconnecting: 'reconnecting',
    offline: 'offline',
    old: (seconds: string) => `${seconds} s old`,
    none: 'none yet',
    alarms: (count: number) => `${count} alarm${count === 1 ? '' : 's'}`,
    calm: 'No alarm',
    label: 'Health',
  },
  {
    link: '연결',
    database: 'PostgreSQL',
    cache: 'Redis',
    feed: '변경 피드',
    prices: '시세',
    live: '실시간',
    connecting: '연결 중',
    reconnecting: '재연결 중',
    offline: '오프라인',
    old: (seconds: string) => `${seconds}초 전`,
    none: '아직 없음',
    alarms: (count: number) => `경보 ${count}건`,
    calm: '경보 없음',
    label: '상태',
  },
);

/** How every part is, in one look; leads to the system page. */
export function HealthStrip() {
  const text = useText(TEXT);
  const link = useLink();
  const [health] = useTopic('health').rows;
  const standing = useTopic('alarms').rows.filter(({ cleared_ts }) => cleared_ts == null);
  const isLive = link.phase === 'live';
  const age = health?.prices.age_ms;
  const parts: readonly (readonly [string, string, string])[] = [
    [text.link, isLive ? 'ok' : 'down', text[link.phase]],
    [text.database, health?.database.status ?? 'off', health?.database.status ?? '–'],
    [text.cache, health?.cache.status ?? 'off', health?.cache.status ?? '–'],
    [text.feed, health?.feed.status ?? 'off', health?.feed.status ?? '–'],
    [
      text.prices,
      age == null ? 'off' : age > 10_000 ? 'degraded' : 'ok',
      age == null ? text.none : text.old((age / 1000).toFixed(1)),
    ],
  ];
  return (
    <Link href="/system/" className={css.strip} aria-label={text.label} data-testid="health-strip">
      {parts.map(([name, status, word]) => (
        <span key={name} className={css.part}>
          <i data-status={isLive || name === text.link ? status : 'off'} aria-hidden="true" />
          <span>{name}</span>
          <span className={css.word}>{word}</span>
        </span>
      ))}
      <span className={standing.length > 0 ? css.alarmed : css.calm}>
        {standing.length > 0 ? text.alarms(standing.length) : text.calm}
      </span>
    </Link>
  );
}
