'use client';

import { useMemo, useState } from 'react';
import type { z } from 'zod';

import { zCashFlow } from '../api/generated/zod.gen';
import { usePages } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { SignedWon, Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { FlowDialog } from './FlowDialog';
import { FLOWS_PATH, PERFORMANCE_TABLES, SLOW_MS } from './performance';

const TEXT = texts(
  {
    title: 'Cash flows',
    enter: 'Enter a cash flow',
    day: 'Day',
    amount: 'Amount',
    note: 'Note',
    by: 'By',
    at: 'Entered',
    empty: 'Nothing was paid in or out. Enter deposits and withdrawals, or they count as gain and loss.',
  },
  {
    title: '입출금',
    enter: '입출금 입력',
    day: '날짜',
    amount: '금액',
    note: '내용',
    by: '입력자',
    at: '입력 시각',
    empty: '입출금이 없습니다. 입금과 출금을 입력하지 않으면 손익으로 계산됩니다.',
  },
);

type Flow = z.infer<typeof zCashFlow>;

/** Money that was paid in or out, so that it counts for no return. */
export function FlowsPanel({ account }: { account: string | null }) {
  const text = useText(TEXT);
  const [isEntering, setEntering] = useState(false);
  const path = account === null ? null : `${FLOWS_PATH}?account_id=${encodeURIComponent(account)}`;
  const pages = usePages(path, zCashFlow, { tables: PERFORMANCE_TABLES, everyMs: SLOW_MS });
  const columns = useMemo<Column<Flow>[]>(
    () => [
      { id: 'day', title: text.day, width: '104px', sort: (row) => row.day, cell: (row) => row.day },
      { id: 'amount', title: text.amount, width: 'minmax(110px, 0.8fr)', align: 'right', sort: (row) => row.amount, cell: (row) => <SignedWon value={row.amount} /> },
      { id: 'note', title: text.note, width: 'minmax(120px, 2fr)', sort: (row) => row.note, cell: (row) => <span title={row.note}>{row.note}</span> },
      { id: 'by', title: text.by, width: 'minmax(80px, 0.6fr)', isSecondary: true, sort: (row) => row.asked_by, cell: (row) => row.asked_by },
      { id: 'at', title: text.at, width: '120px', isSecondary: true, sort: (row) => row.created_ts, cell: (row) => <Time at={row.created_ts} /> },
    ],
    [text],
  );
  const rows = pages.data ?? [];
  return (
    <>
      <Panel
        title={text.title}
        count={rows.length === 0 ? null : rows.length}
        actions={
          <Button size="small" needs="TRADER" disabled={account === null} onClick={() => setEntering(true)} data-testid="enter-flow">
            {text.enter}
          </Button>
        }
        fault={pages.fault}
        onRetry={pages.retry}
        isLoading={pages.isLoading}
        empty={rows.length === 0 && pages.fault === null ? text.empty : null}
        isFlush
      >
        <DataTable
          label={text.title}
          columns={columns}
          rows={rows}
          keyOf={(row) => row.flow_id}
          height="min(56vh, 480px)"
          isLoadingMore={pages.isLoadingMore}
          {...(pages.hasMore ? { onEnd: pages.more } : {})}
        />
      </Panel>
      {account !== null && <FlowDialog account={account} isOpen={isEntering} onClose={() => setEntering(false)} />}
    </>
  );
}
