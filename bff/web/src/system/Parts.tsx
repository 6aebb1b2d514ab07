'use client';

import { CircleCheck, CircleHelp, OctagonAlert, TriangleAlert } from 'lucide-react';

import { useLink, useTopic } from '../live/provider';
import { formatQty } from '../money/format';
import { texts, useText } from '../text/text';
import type { FiguresRead } from './metrics';
import { PARTS, statusOf, worst, type PartId } from './parts';
import { formatAge } from './sources';
import css from './system.module.css';

const TEXT = texts(
  {
    label: 'Health of the system',
    ok: 'Everything works',
    degraded: 'Something does not work as it should',
    down: 'A part is down',
    off: 'How the system is is not known',
    word_ok: 'ok',
    word_degraded: 'degraded',
    word_down: 'down',
    word_off: 'not known',
    database: 'PostgreSQL',
    cache: 'Redis',
    feed: 'Change feed',
    prices: 'Prices',
    stream: 'Broker stream',
    engine: 'Exit engine',
    naver: 'Naver',
    connections: (used: number, most: number) => `${used} of ${most} connections`,
    breaker: (state: string) => `breaker ${state}`,
    hits: (share: string) => `${share} hits`,
    errors: (count: string) => `${count} errors`,
    lag: (age: string) => `${age} behind`,
    newest: (age: string) => `newest ${age} old`,
    mode_redis: 'pushed by Redis',
    mode_polling: 'asked of PostgreSQL',
    clients: (count: number) => `${count} live client${count === 1 ? '' : 's'}`,
    heard: (age: string) => `heard ${age} ago`,
    sessions: (count: number) => `${count} session${count === 1 ? '' : 's'}`,
    judged: (age: string) => `judged ${age} ago`,
    engines: (count: number) => `${count} active`,
    calls: (count: string) => `${count} calls`,
    naverOff: 'switched off',
    blocked: 'turned away',
    brokerDown: 'The broker does not answer: exits are paused, orders are kept back.',
    emergency: 'No price from anywhere: positions are not judged.',
    throttled: 'The broker turns calls away as too many: half of them are made.',
    alarms: (count: number) => `${count} alarm${count === 1 ? '' : 's'} stand${count === 1 ? 's' : ''}`,
    offline: 'What you see is not live.',
  },
  {
    label: '시스템 상태',
    ok: '모두 정상',
    degraded: '일부 기능 저하',
    down: '장애 발생',
    off: '상태를 알 수 없음',
    word_ok: '정상',
    word_degraded: '저하',
    word_down: '장애',
    word_off: '미확인',
    database: 'PostgreSQL',
    cache: 'Redis',
    feed: '변경 피드',
    prices: '시세',
    stream: '증권사 스트림',
    engine: '청산 엔진',
    naver: '네이버',
    connections: (used: number, most: number) => `연결 ${used}/${most}`,
    breaker: (state: string) => `차단기 ${state}`,
    hits: (share: string) => `적중 ${share}`,
    errors: (count: string) => `오류 ${count}건`,
    lag: (age: string) => `지연 ${age}`,
    newest: (age: string) => `최신 ${age} 전`,
    mode_redis: 'Redis 푸시',
    mode_polling: 'PostgreSQL 조회',
    clients: (count: number) => `접속 ${count}`,
    heard: (age: string) => `수신 ${age} 전`,
    sessions: (count: number) => `세션 ${count}`,
    judged: (age: string) => `평가 ${age} 전`,
    engines: (count: number) => `활성 ${count}`,
    calls: (count: string) => `호출 ${count}회`,
    naverOff: '사용 안 함',
    blocked: '차단됨',
    brokerDown: '증권사가 응답하지 않습니다. 청산이 일시정지되고 주문이 보류됩니다.',
    emergency: '모든 시세가 끊겨 포지션을 평가하지 않습니다.',
    throttled: '증권사 호출 한도 초과로 호출을 절반으로 줄였습니다.',
    alarms: (count: number) => `경보 ${count}건 발생 중`,
    offline: '실시간 화면이 아닙니다.',
  },
);

const ICONS = { ok: CircleCheck, degraded: TriangleAlert, down: OctagonAlert, off: CircleHelp } as const;

const seconds = (value: number | null) => (value === null ? null : formatAge(value * 1000));

/** How the whole is, in one look, and every part with what it is judged by. */
export function Parts({ read }: { read: FiguresRead }) {
  const text = useText(TEXT);
  const link = useLink();
  const [health] = useTopic('health').rows;
  const standing = useTopic('alarms').rows.filter(({ cleared_ts }) => cleared_ts == null).length;
  const { figures } = read;
  const isLive = link.phase === 'live';
  const statuses = PARTS.map((part) => [part, statusOf(part, health, figures)] as const);
  const whole = isLive ? worst(statuses.map(([, status]) => status)) : 'off';
  const Icon = ICONS[whole];
  const reads = (health?.cache.hits ?? 0) + (health?.cache.misses ?? 0);
  const calls = figures.all('naver_calls_total').reduce((sum, { value }) => sum + value, 0);
  const facts: Record<PartId, readonly (string | null | false)[]> = {
    database: [health !== undefined && text.connections(health.database.pool_in_use, health.database.pool_max)],
    cache: [
      health !== undefined && text.breaker(health.cache.breaker),
      health !== undefined && reads > 0 && text.hits(`${Math.round((health.cache.hits / reads) * 100)} %`),
      health !== undefined && health.cache.errors > 0 && text.errors(formatQty(health.cache.errors)),
    ],
    feed: [health?.feed.lag_ms != null && text.lag(formatAge(health.feed.lag_ms)), health !== undefined && text.clients(health.ws_clients)],
    prices: [health?.prices.age_ms != null && text.newest(formatAge(health.prices.age_ms)), health !== undefined && text[`mode_${health.prices.mode === 'polling' ? 'polling' : 'redis'}`]],
    stream: [
      figures.of('price_sync_ws_last_message_age_seconds') !== null && text.heard(seconds(figures.of('price_sync_ws_last_message_age_seconds')) ?? ''),
      figures.of('price_sync_ws_connected') !== null && text.sessions(figures.of('price_sync_ws_connected') ?? 0),
    ],
    engine: [
      figures.of('exit_evaluation_age_seconds') !== null && text.judged(seconds(figures.of('exit_evaluation_age_seconds')) ?? ''),
      figures.of('exit_active_engines') !== null && text.engines(figures.of('exit_active_engines') ?? 0),
    ],
    naver: [
      figures.all('naver_calls_total').length > 0 && text.calls(formatQty(calls)),
      (figures.of('price_sync_naver_off') ?? 0) > 0 && text.naverOff,
      (figures.of('naver_blocked') ?? 0) > 0 && text.blocked,
    ],
  };
  const warnings = [
    (figures.of('price_sync_broker_down') ?? 0) > 0 && text.brokerDown,
    (figures.of('price_sync_emergency') ?? 0) > 0 && text.emergency,
    (figures.of('price_sync_throttled') ?? 0) > 0 && text.throttled,
  ].filter((one) => one !== false);
  return (
    <section className={css.health} data-status={whole} aria-label={text.label} data-testid="health">
      <div className={css.whole} role="status">
        <Icon size={26} aria-hidden="true" className={css.icon} />
        <h2 data-testid="health-status">{text[whole]}</h2>
        <span className={css.aside}>
          {standing > 0 && text.alarms(standing)} {!isLive && text.offline}
        </span>
      </div>
      {warnings.map((warning) => (
        <p key={warning} className={css.warning}>
          {warning}
        </p>
      ))}
      <ul className={css.parts} data-live="">
        {statuses.map(([part, status]) => (
          <li key={part} className={css.part} data-status={status} data-testid={`part-${part}`}>
            <span className={css.partName}>
              <i aria-hidden="true" />
              {text[part]}
              <span className={css.word}>{text[`word_${status}`]}</span>
            </span>
            <span className={css.partFacts}>{facts[part].filter(Boolean).join(' · ') || ' '}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
