import { useMemo } from 'react';

import { DayChange, Gain, LastPrice, Return, type Position } from '../desk/live';
import { useTopic } from '../live/provider';
import { useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Count } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { POSITION_TEXT } from './text';

/** The live positions, to choose one from. */
export function Chooser({ onOpen }: { onOpen: (id: string) => void }) {
  const text = useText(POSITION_TEXT);
  const { rows, isReady } = useTopic('positions');
  const columns = useMemo<Column<Position>[]>(
    () => [
      { id: 'name', title: text.stockPage, width: 'minmax(120px, 2fr)', sort: (row) => row.name, cell: (row) => <span lang="ko">{row.name}</span> },
      { id: 'price', title: text.price, align: 'right', cell: (row) => <LastPrice symbol={row.symbol} /> },
      { id: 'change', title: '%', align: 'right', isSecondary: true, cell: (row) => <DayChange symbol={row.symbol} /> },
      { id: 'pnl', title: text.pnl, align: 'right', cell: (row) => <Gain position={row} /> },
      { id: 'return', title: text.return, align: 'right', cell: (row) => <Return position={row} /> },
      { id: 'qty', title: text.quantity, align: 'right', isSecondary: true, sort: (row) => row.qty, cell: (row) => <Count value={row.qty} /> },
      { id: 'phase', title: text.phase, isSecondary: true, width: '130px', sort: (row) => row.phase, cell: (row) => <Tag>{row.phase}</Tag> },
    ],
    [text],
  );
  return (
    <Panel title={text.choose} count={rows.length} isFlush isLoading={!isReady} empty={rows.length === 0 ? text.none : null}>
      <DataTable label={text.choose} columns={columns} rows={rows} keyOf={(row) => row.position_id} onOpen={(row) => onOpen(row.position_id)} rowHeight={36} />
    </Panel>
  );
}
