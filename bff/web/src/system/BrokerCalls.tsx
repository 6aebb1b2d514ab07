'use client';

import { texts, useText } from '../text/text';
import { Count } from '../ui/figures';
import { Panel } from '../ui/Panel';
import type { FiguresRead } from './metrics';
import { useFiguresState } from './state';
import css from './system.module.css';

const TEXT = texts(
  {
    title: 'Calls to the broker',
    operation: 'Call',
    ok: 'Answered',
    failed: 'Failed',
    latency: 'Mean',
    'order-cash': 'order',
    'order-rvsecncl': 'change or cancel',
    'inquire-balance': 'holdings',
    'inquire-daily-ccld': 'orders and fills',
    'inquire-price': 'price',
    'inquire-daily-itemchartprice': 'daily bars',
    'search-stock-info': 'issue',
    'chk-holiday': 'calendar',
    since: 'Since the start of the process.',
  },
  {
    title: '증권사 호출',
    operation: '호출',
    ok: '성공',
    failed: '실패',
    latency: '평균',
    'order-cash': '주문',
    'order-rvsecncl': '정정·취소',
    'inquire-balance': '잔고',
    'inquire-daily-ccld': '주문·체결',
    'inquire-price': '현재가',
    'inquire-daily-itemchartprice': '일봉',
    'search-stock-info': '종목정보',
    'chk-holiday': '휴장일',
    since: '프로세스 시작 이후 누계입니다.',
  },
);

/** Calls to the broker by what they ask for: how many, how many failed, how long they take. */
export function BrokerCalls({ read }: { read: FiguresRead }) {
  const text = useText(TEXT);
  const state = useFiguresState(read);
  const { figures } = read;
  const calls = figures.all('kis_calls_total').filter(({ labels }) => labels.operation !== undefined);
  const operations = [...new Set(calls.map(({ labels }) => labels.operation ?? ''))].sort();
  const words = text as Readonly<Record<string, string>>;
  const rows = operations.map((operation) => {
    const own = calls.filter(({ labels }) => labels.operation === operation);
    const sum = (isOk: boolean) => own.filter(({ labels }) => (labels.outcome === 'ok') === isOk).reduce((total, { value }) => total + value, 0);
    return { operation, ok: sum(true), failed: sum(false), mean: figures.mean('kis_call_latency_seconds', { operation }) };
  });
  return (
    <Panel title={text.title} {...state}>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{text.operation}</th>
            <th scope="col">{text.ok}</th>
            <th scope="col">{text.failed}</th>
            <th scope="col">{text.latency}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ operation, ok, failed, mean }) => (
            <tr key={operation}>
              <th scope="row" title={operation}>
                {words[operation] ?? operation}
              </th>
              <td>
                <Count value={ok} />
              </td>
              <td className={failed > 0 ? css.waits : undefined}>
                <Count value={failed} />
              </td>
              <td>{mean === null ? '–' : `${(mean * 1000).toFixed(mean < 0.01 ? 1 : 0)} ms`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className={css.note}>{text.since}</p>
    </Panel>
  );
}
