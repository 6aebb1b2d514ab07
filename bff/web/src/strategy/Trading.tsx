'use client';

import { useMemo } from 'react';
import type { z } from 'zod';

import { zLine, zRebalance } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, Price, Ratio, Stock, Won } from '../ui/figures';
import { Meter, Stat, Stats } from '../ui/layout';
import { FaultNote } from '../ui/Panel';
import { Side, Tag } from '../ui/Tag';
import { CALM_MS, REASON_TEXT, wordOf } from './names';
import css from './Trading.module.css';

const TEXT = texts(
  {
    title: 'Rebalance',
    day: 'Day',
    state: 'State',
    equity: 'Equity at the beginning',
    filled: 'Filled',
    of: 'of',
    shares: 'shares',
    stock: 'Stock',
    side: 'Side',
    weight: 'Target',
    held: 'Held',
    aimed: 'Aim',
    qty: 'Asked',
    done: 'Filled',
    price: 'Price',
    order: 'Order',
    note: 'Why not, or fewer',
    none: 'It has not been traded yet. A rebalance trades the portfolio in force at the time and on the days that are configured, when it is enabled.',
    loading: 'Loading',
  },
  {
    title: '리밸런싱',
    day: '거래일',
    state: '상태',
    equity: '시작 시 자산',
    filled: '체결',
    of: '/',
    shares: '주',
    stock: '종목',
    side: '구분',
    weight: '목표',
    held: '보유',
    aimed: '목표 수량',
    qty: '주문',
    done: '체결',
    price: '가격',
    order: '주문 상태',
    note: '미체결·축소 사유',
    none: '아직 매매되지 않았습니다. 리밸런싱이 활성화되어 있으면 설정된 요일과 시각에 적용 중인 포트폴리오로 매매합니다.',
    loading: '불러오는 중',
  },
);

type Line = z.infer<typeof zLine>;

/** How a portfolio was traded, line by line, while it goes on and after. */
export function Trading({ portfolioId }: { portfolioId: string }) {
  const text = useText(TEXT);
  const reasons = useText(REASON_TEXT);
  const { data, fault, isLoading, retry } = useRead(`/api/v1/portfolios/${portfolioId}/rebalance`, zRebalance, {
    tables: ['trade.orders', 'trade.order_events', 'trade.manual_exits'],
    everyMs: CALM_MS,
  });
  const columns = useMemo<Column<Line>[]>(
    () => [
      { id: 'stock', title: text.stock, width: 'minmax(126px, 1.6fr)', cell: (row) => <Stock name={row.name ?? null} symbol={row.symbol} /> },
      { id: 'side', title: text.side, width: '56px', sort: (row) => row.side, cell: (row) => (row.side === 'NONE' ? '–' : <Side side={row.side} />) },
      { id: 'weight', title: text.weight, width: '74px', align: 'right', isSecondary: true, sort: (row) => row.weight, cell: (row) => <Ratio value={row.weight} /> },
      { id: 'held', title: text.held, width: '62px', align: 'right', isSecondary: true, sort: (row) => row.held, cell: (row) => <Count value={row.held} /> },
      { id: 'aimed', title: text.aimed, width: '76px', align: 'right', isSecondary: true, sort: (row) => row.target, cell: (row) => <Count value={row.target} /> },
      { id: 'qty', title: text.qty, width: '62px', align: 'right', sort: (row) => row.qty, cell: (row) => <Count value={row.qty} /> },
      { id: 'done', title: text.done, width: '62px', align: 'right', sort: (row) => row.filled_qty, cell: (row) => <Count value={row.filled_qty} /> },
      { id: 'price', title: text.price, width: '86px', align: 'right', isSecondary: true, sort: (row) => row.price, cell: (row) => <Price value={row.price} /> },
      { id: 'order', title: text.order, width: '84px', isSecondary: true, sort: (row) => row.order_status, cell: (row) => <Tag>{row.order_status}</Tag> },
      {
        id: 'note',
        title: text.note,
        width: 'minmax(150px, 1.8fr)',
        cell: (row) => {
          const note = row.refused ?? (row.skipped == null ? null : wordOf(reasons, row.skipped));
          return <span title={note ?? undefined}>{note ?? '–'}</span>;
        },
      },
    ],
    [text, reasons],
  );
  if (fault?.code === 'NOT_FOUND') return <p className={css.none}>{text.none}</p>;
  if (fault !== null && data === undefined) return <FaultNote fault={fault} onRetry={retry} />;
  if (isLoading || data === undefined) return <p className={css.none}>{text.loading}…</p>;
  const asked = data.lines.reduce((sum, line) => sum + line.qty, 0);
  const filled = data.lines.reduce((sum, line) => sum + (line.filled_qty ?? 0), 0);
  return (
    <div className={css.trading} data-testid="rebalance">
      <Stats>
        <Stat name={text.day}>{data.day}</Stat>
        <Stat name={text.state}>
          <Tag tone={data.state === 'DONE' ? 'good' : 'working'}>{data.state}</Tag>
        </Stat>
        <Stat name={text.equity}>
          <Won value={data.equity} />
        </Stat>
        <Stat name={text.filled} note={<Meter label={text.filled} value={asked === 0 ? null : filled / asked} warnAt={2} />}>
          <Count value={filled} /> {text.of} <Count value={asked} /> {text.shares}
        </Stat>
      </Stats>
      {data.reason != null && <p className={css.reason}>{data.reason}</p>}
      <DataTable label={text.title} columns={columns} rows={data.lines} keyOf={(line) => line.action_key} height="min(48vh, 460px)" />
    </div>
  );
}
