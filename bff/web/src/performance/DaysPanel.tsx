'use client';

import { useMemo } from 'react';

import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Ratio, SignedWon, Won } from '../ui/figures';
import { Panel } from '../ui/Panel';
import type { Day } from './performance';

const TEXT = texts(
  {
    title: 'Days',
    day: 'Day',
    equity: 'Equity',
    flows: 'Paid in − out',
    return: 'Return',
    cumulative: 'Cumulative',
    drawdown: 'Drawdown',
    realized: 'Realised',
    empty: 'No day of this period has an equity, a cash flow or a closed position.',
    hint: 'Unknown where the session before has no equity, and on days without a session',
  },
  {
    title: '일별',
    day: '날짜',
    equity: '자산',
    flows: '순입금',
    return: '수익률',
    cumulative: '누적',
    drawdown: '낙폭',
    realized: '실현손익',
    empty: '이 기간에 자산, 입출금, 청산이 기록된 날이 없습니다.',
    hint: '직전 거래일의 자산이 없거나 휴장일이면 알 수 없음',
  },
);

/** Every day of the period in figures. */
export function DaysPanel({ days }: { days: readonly Day[] }) {
  const text = useText(TEXT);
  const rows = useMemo(() => [...days].reverse(), [days]);
  const columns = useMemo<Column<Day>[]>(
    () => [
      { id: 'day', title: text.day, width: '104px', sort: (row) => row.day, cell: (row) => row.day },
      { id: 'equity', title: text.equity, width: 'minmax(110px, 1fr)', align: 'right', sort: (row) => row.equity, cell: (row) => <Won value={row.equity} /> },
      { id: 'return', title: text.return, hint: text.hint, width: 'minmax(76px, 1fr)', align: 'right', sort: (row) => row.return, cell: (row) => <Ratio value={row.return} isSigned /> },
      { id: 'cumulative', title: text.cumulative, align: 'right', isSecondary: true, sort: (row) => row.cumulative_return, cell: (row) => <Ratio value={row.cumulative_return} isSigned /> },
      { id: 'drawdown', title: text.drawdown, align: 'right', isSecondary: true, sort: (row) => row.drawdown, cell: (row) => <Ratio value={row.drawdown} isSigned /> },
      { id: 'realized', title: text.realized, align: 'right', sort: (row) => row.realized_pnl, cell: (row) => (row.realized_pnl === 0 ? '–' : <SignedWon value={row.realized_pnl} />) },
      { id: 'flows', title: text.flows, align: 'right', isSecondary: true, sort: (row) => row.flows, cell: (row) => (row.flows === 0 ? '–' : <SignedWon value={row.flows} />) },
    ],
    [text],
  );
  return (
    <Panel title={text.title} count={rows.length === 0 ? null : rows.length} empty={rows.length === 0 ? text.empty : null} isFlush>
      <DataTable label={text.title} columns={columns} rows={rows} keyOf={(row) => row.day} height="min(56vh, 480px)" />
    </Panel>
  );
}
