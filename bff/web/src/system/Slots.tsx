'use client';

import { texts, useText } from '../text/text';
import { Count } from '../ui/figures';
import { Facts, Meter } from '../ui/layout';
import { Panel } from '../ui/Panel';
import type { FiguresRead } from './metrics';
import { formatAge } from './sources';
import { useFiguresState } from './state';
import css from './system.module.css';

const TEXT = texts(
  {
    title: 'Subscription slots',
    session: (name: string) => `Stream session ${name}`,
    of: (used: string, most: number) => `${used} of ${most}`,
    allowed: 'The broker allows 41 registrations a session, one of them for notices of executions.',
    leftOut: (count: string) => `${count} symbols have no slot and are asked about by tier.`,
    allIn: 'Every symbol that should be streamed is.',
    tier: 'Tier',
    interval: 'Asked every',
    silent: 'Silent symbols',
    late: 'Late, mean',
    followed: 'Followed symbols',
    trades: 'Trades heard',
    connections: 'Connections made',
    reconnects: 'Reconnections',
    tier0: '0 · holdings',
    tier1: '1 · watched, orders, signals',
    tier2: '2 · rankings, system',
  },
  {
    title: '구독 슬롯',
    session: (name: string) => `스트림 세션 ${name}`,
    of: (used: string, most: number) => `${used}/${most}`,
    allowed: '세션당 41건까지 등록할 수 있으며, 그중 1건은 체결 통보에 사용합니다.',
    leftOut: (count: string) => `슬롯이 없는 ${count}종목은 티어별로 조회합니다.`,
    allIn: '스트림 대상 종목이 모두 등록되어 있습니다.',
    tier: '티어',
    interval: '조회 주기',
    silent: '무응답 종목',
    late: '평균 지연',
    followed: '추적 종목',
    trades: '수신 체결',
    connections: '연결 횟수',
    reconnects: '재연결 횟수',
    tier0: '0 · 보유',
    tier1: '1 · 관심·주문·신호',
    tier2: '2 · 랭킹·시스템',
  },
);

/** Registrations of one session that the broker allows. */
const SLOTS = 41;

const TIERS = ['tier0', 'tier1', 'tier2'] as const;

/** What of the broker's stream is in use, and how what has no slot is asked about. */
export function Slots({ read }: { read: FiguresRead }) {
  const text = useText(TEXT);
  const state = useFiguresState(read);
  const { figures } = read;
  const sessions = figures.all('kis_ws_registrations');
  const leftOut = figures.of('subscriptions_left_out') ?? 0;
  return (
    <Panel title={text.title} {...state}>
      <ul className={css.meters}>
        {sessions.map(({ labels, value }) => (
          <li key={labels.session}>
            <span>{text.session(labels.session ?? '')}</span>
            <Meter label={text.session(labels.session ?? '')} value={value / SLOTS} warnAt={0.95} />
            <span className={css.right} data-testid="slots">
              {text.of(String(value), SLOTS)}
            </span>
          </li>
        ))}
      </ul>
      <p className={css.note}>
        {leftOut > 0 ? text.leftOut(String(leftOut)) : text.allIn} {text.allowed}
      </p>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{text.tier}</th>
            <th scope="col">{text.interval}</th>
            <th scope="col">{text.silent}</th>
            <th scope="col">{text.late}</th>
          </tr>
        </thead>
        <tbody>
          {TIERS.map((tier) => {
            const interval = figures.of('price_sync_tier_interval_seconds', { tier });
            const late = figures.mean('price_sync_ask_lateness_seconds', { tier });
            return (
              <tr key={tier}>
                <th scope="row">{text[tier]}</th>
                <td>{formatAge(interval === null ? null : interval * 1000)}</td>
                <td>
                  <Count value={figures.of('price_sync_tier_silent_symbols', { tier })} />
                </td>
                <td>{formatAge(late === null ? null : late * 1000)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <Facts
        facts={[
          [text.followed, <Count key="followed" value={figures.of('price_sync_followed_symbols')} />],
          [text.trades, <Count key="trades" value={figures.of('kis_ws_trades_total')} />],
          [text.connections, <Count key="connections" value={figures.of('kis_ws_connections_total')} />],
          [text.reconnects, <Count key="reconnects" value={figures.of('kis_ws_reconnects_total') ?? 0} />],
        ]}
      />
    </Panel>
  );
}
