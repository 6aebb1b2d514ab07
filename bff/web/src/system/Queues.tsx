'use client';

import { useTopic } from '../live/provider';
import { texts, useText } from '../text/text';
import { Count } from '../ui/figures';
import { Panel } from '../ui/Panel';
import type { FiguresRead } from './metrics';
import { formatAge } from './sources';
import { useFiguresState } from './state';
import css from './system.module.css';

const TEXT = texts(
  {
    title: 'Queues',
    queue: 'Queue',
    waiting: 'Waiting',
    wait: 'Wait, mean',
    turns: 'Done',
    order: 'Calls · orders',
    query: 'Calls · lists',
    tier0: 'Calls · prices of holdings',
    tier1: 'Calls · watched prices',
    tier2: 'Calls · other prices',
    orders: 'Orders to be sent',
    levels: 'Levels to be written',
    feed: 'Changes to be told',
    budget: (left: string, all: string) => `${left} of ${all} calls a second are left.`,
  },
  {
    title: '대기열',
    queue: '대기열',
    waiting: '대기',
    wait: '평균 대기',
    turns: '처리',
    order: '호출 · 주문',
    query: '호출 · 조회',
    tier0: '호출 · 보유 시세',
    tier1: '호출 · 관심 시세',
    tier2: '호출 · 기타 시세',
    orders: '전송 대기 주문',
    levels: '기록 대기 레벨',
    feed: '전달 대기 변경',
    budget: (left: string, all: string) => `초당 호출 ${all}건 중 ${left}건이 남아 있습니다.`,
  },
);

/** Lanes of calls to the broker, the most urgent first. */
const LANES = ['order', 'query', 'tier0', 'tier1', 'tier2'] as const;

/** What waits for its turn: calls by lane, orders, writes, changes. */
export function Queues({ read }: { read: FiguresRead }) {
  const text = useText(TEXT);
  const state = useFiguresState(read);
  const [health] = useTopic('health').rows;
  const { figures } = read;
  const left = figures.of('price_sync_calls_left_per_second');
  const rate = figures.of('kis_limiter_rate_per_second');
  const seconds = (value: number | null) => formatAge(value === null ? null : value * 1000);
  const rows = [
    ...LANES.map((lane) => ({
      id: lane,
      waiting: figures.of('kis_limiter_waiting', { lane }),
      wait: seconds(figures.mean('kis_limiter_wait_seconds', { lane })),
      turns: figures.of('kis_limiter_turns_total', { lane }),
    })),
    {
      id: 'orders' as const,
      waiting: figures.of('execution_orders_waiting_orders'),
      wait: '',
      turns: figures.all('execution_orders_sent_total').reduce((sum, { value }) => sum + value, 0),
    },
    { id: 'levels' as const, waiting: figures.of('exit_levels_waiting_positions'), wait: seconds(figures.mean('exit_levels_write_seconds')), turns: figures.of('exit_levels_rows_total') },
    { id: 'feed' as const, waiting: null, wait: formatAge(health?.feed.lag_ms), turns: null },
  ];
  return (
    <Panel title={text.title} {...state}>
      <table className={css.table} data-testid="queues">
        <thead>
          <tr>
            <th scope="col">{text.queue}</th>
            <th scope="col">{text.waiting}</th>
            <th scope="col">{text.wait}</th>
            <th scope="col">{text.turns}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ id, waiting, wait, turns }) => (
            <tr key={id}>
              <th scope="row">{text[id]}</th>
              <td className={(waiting ?? 0) > 0 ? css.waits : undefined}>
                <Count value={waiting} />
              </td>
              <td>{wait}</td>
              <td>
                <Count value={turns} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {left !== null && rate !== null && <p className={css.note}>{text.budget(left.toFixed(1), rate.toFixed(1))}</p>}
    </Panel>
  );
}
