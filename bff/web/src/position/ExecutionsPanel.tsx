import { useMemo } from 'react';

import type { Pages } from '../api/hooks';
import { microsOf } from '../live/instant';
import { unitsOf } from '../money/decimal';
import { useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, Price, Time, Won } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Side } from '../ui/Tag';
import type { Execution } from './reads';
import { POSITION_TEXT } from './text';
import type { Order } from './verdicts';

/** The fills of the position's orders. */
export function ExecutionsPanel({ executions, orders }: { executions: Pages<Execution>; orders: readonly Order[] }) {
  const text = useText(POSITION_TEXT);
  const rows = executions.data ?? [];
  const columns = useMemo<Column<Execution>[]>(() => {
    const reasonOf = (row: Execution) => orders.find(({ order_id }) => order_id === row.order_id)?.reason_code.replaceAll('_', ' ') ?? '–';
    return [
      { id: 'time', title: text.time, width: '112px', sort: (row) => microsOf(row.ts), cell: (row) => <Time at={row.ts} /> },
      { id: 'side', title: text.side, width: '56px', isSecondary: true, cell: (row) => <Side side={row.side} /> },
      { id: 'reason', title: text.reason, width: 'minmax(70px, 1fr)', cell: reasonOf },
      { id: 'qty', title: text.qty, align: 'right', width: '68px', sort: (row) => row.qty, cell: (row) => <Count value={row.qty} /> },
      { id: 'price', title: text.fillPrice, align: 'right', width: '88px', sort: (row) => row.price, cell: (row) => <Price value={row.price} /> },
      {
        id: 'fee',
        title: text.fee,
        align: 'right',
        width: '92px',
        isSecondary: true,
        cell: (row) => <Won value={(unitsOf(row.fee) ?? 0n) + (unitsOf(row.tax) ?? 0n)} />,
      },
      { id: 'source', title: text.source, width: '76px', isSecondary: true, cell: (row) => row.source },
    ];
  }, [text, orders]);
  return (
    <Panel
      title={text.executions}
      count={rows.length === 0 ? null : rows.length}
      isFlush
      isLoading={executions.isLoading}
      fault={executions.fault}
      onRetry={executions.retry}
      empty={rows.length === 0 ? text.noExecutions : null}
    >
      <div data-testid="executions">
        <DataTable
          label={text.executions}
          columns={columns}
          rows={rows}
          keyOf={(row) => row.fill_id}
          {...(rows.length > 10 ? { height: '340px' } : {})}
          onEnd={() => {
            if (executions.hasMore && !executions.isLoadingMore) executions.more();
          }}
          isLoadingMore={executions.isLoadingMore}
        />
      </div>
    </Panel>
  );
}
