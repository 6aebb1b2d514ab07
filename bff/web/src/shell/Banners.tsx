'use client';

import { useEffect, useState } from 'react';
import { z } from 'zod';

import { zExitPause } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { formatTime } from '../live/instant';
import { useLink, useTopic } from '../live/provider';
import { texts, useText } from '../text/text';
import css from './Banners.module.css';

/** A break that is over before this is not worth a word. */
const PATIENCE_MS = 1_500;

const TEXT = texts(
  {
    offline: (time: string) => `Offline. What you see is from ${time}; nothing is live.`,
    never: 'The server cannot be reached. Trying again by itself.',
    reconnecting: 'Connection lost, trying again. Figures stand still.',
    database: 'PostgreSQL is away: the page shows what the cache still holds. Nothing can be changed, and the engine decides nothing until it is back.',
    polling: 'Redis is away: prices come from PostgreSQL, once a second.',
    manual: 'Manual mode: automatic exits are paused by the system.',
    waiting: (count: number) => `${count} order${count === 1 ? '' : 's'} wait to be sent.`,
    since: (time: string) => `Since ${time}.`,
  },
  {
    offline: (time: string) => `오프라인. 화면은 ${time} 기준이며 실시간이 아닙니다.`,
    never: '서버에 연결할 수 없습니다. 자동으로 다시 시도합니다.',
    reconnecting: '연결이 끊겨 다시 시도 중입니다. 수치가 멈춰 있습니다.',
    database: 'PostgreSQL 장애: 캐시에 남은 내용만 표시합니다. 변경할 수 없으며 복구될 때까지 엔진은 결정하지 않습니다.',
    polling: 'Redis 장애: 시세를 PostgreSQL에서 1초마다 가져옵니다.',
    manual: '수동 모드: 시스템이 자동 청산을 일시정지했습니다.',
    waiting: (count: number) => `주문 ${count}건이 전송 대기 중입니다.`,
    since: (time: string) => `${time}부터.`,
  },
);

/** What the user has to know before anything else on the page. */
export function Banners() {
  const text = useText(TEXT);
  const link = useLink();
  const [health] = useTopic('health').rows;
  const pauses = useRead('/api/v1/exit/pauses', z.array(zExitPause), {
    tables: ['trade.exit_pauses', 'trade.order_events', 'trade.orders'],
  });
  const [isPatient, setPatient] = useState(true);
  useEffect(() => {
    setPatient(true);
    if (link.phase === 'live') return;
    const timer = setTimeout(() => setPatient(false), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [link.phase]);

  const isLive = link.phase === 'live';
  const lost = link.lostMs === null ? null : formatTime(new Date(link.lostMs).toISOString(), Date.now());
  useEffect(() => {
    document.documentElement.dataset.link = isLive || isPatient ? 'live' : 'stale';
  }, [isLive, isPatient]);
  return (
    <div aria-live="polite" data-testid="banners">
      {!isLive && !isPatient && (
        <p className={css.bad} data-banner="offline">
          {lost === null ? text.never : link.phase === 'offline' ? text.offline(lost) : `${text.reconnecting} ${text.since(lost)}`}
        </p>
      )}
      {isLive && health?.database.status === 'down' && (
        <p className={css.bad} data-banner="database">
          {text.database}
        </p>
      )}
      {(pauses.data ?? []).map((pause) => (
        <p key={pause.reason} className={css.bad} data-banner="manual">
          <b>{text.manual}</b> {pause.message} {text.since(formatTime(pause.since_ts, Date.now()))}{' '}
          {pause.stops_waiting > 0 && text.waiting(pause.stops_waiting)}
        </p>
      ))}
      {isLive && link.mode === 'polling' && (
        <p className={css.warn} data-banner="polling">
          {text.polling}
        </p>
      )}
    </div>
  );
}
