'use client';

import { Pencil, Trash2 } from 'lucide-react';
import { useMemo } from 'react';

import { UNKNOWN } from '../money/format';
import { LiveChange, LivePrice } from '../stocks/live';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { Stock, Time } from '../ui/figures';
import { alertAt, nearness } from './alert';
import { AlertGap, AlertLevel, Target } from './cells';
import type { List, Watched } from './watched';
import css from './watchlist.module.css';

const TEXT = texts(
  {
    stock: 'Stock',
    price: 'Price',
    change: 'Change',
    target: 'Target',
    targetHint: 'What it is held to be worth, and how far the price is from it',
    alert: 'Alarm',
    gap: 'To the alarm',
    gapHint: 'The move that is missing, of the price now',
    memo: 'Memo',
    reason: 'Reason',
    updated: 'Changed',
    by: (name: string) => `by ${name}`,
    edit: (name: string) => `Change ${name}`,
    remove: (name: string) => `Take ${name} off the list`,
    tools: 'Actions',
  },
  {
    stock: '종목',
    price: '현재가',
    change: '등락',
    target: '목표가',
    targetHint: '목표 가격과 현재가 대비 차이',
    alert: '알림',
    gap: '알림까지',
    gapHint: '현재가 대비 남은 등락폭',
    memo: '메모',
    reason: '사유',
    updated: '변경',
    by: (name: string) => `${name}`,
    edit: (name: string) => `${name} 수정`,
    remove: (name: string) => `${name} 목록에서 제거`,
    tools: '작업',
  },
);

interface WatchTableProps {
  label: string;
  list: List;
  rows: readonly Watched[];
  onEdit: (row: Watched) => void;
  onRemove: (row: Watched) => void;
}

/** One list: prices, and what is waited for. */
export function WatchTable({ label, list, rows, onEdit, onRemove }: WatchTableProps) {
  const text = useText(TEXT);
  const columns = useMemo<Column<Watched>[]>(() => {
    const reason: Column<Watched> = {
      id: 'reason',
      title: text.reason,
      width: 'minmax(100px, 1.2fr)',
      isSecondary: true,
      sort: (row) => row.reason,
      cell: (row) => <span title={row.reason ?? undefined}>{row.reason || UNKNOWN}</span>,
    };
    return [
      { id: 'stock', title: text.stock, width: 'minmax(104px, 1.5fr)', sort: (row) => row.name ?? row.symbol, cell: (row) => <Stock name={row.name ?? null} symbol={row.symbol} /> },
      { id: 'price', title: text.price, align: 'right', width: 'minmax(90px, 0.7fr)', sort: (row) => row.last_price, cell: (row) => <LivePrice symbol={row.symbol} last={row} /> },
      { id: 'change', title: text.change, align: 'right', width: 'minmax(80px, 0.6fr)', sort: (row) => row.change_rate, cell: (row) => <LiveChange symbol={row.symbol} last={row} /> },
      { id: 'target', title: text.target, hint: text.targetHint, align: 'right', width: '150px', isSecondary: true, sort: (row) => row.target_price, cell: (row) => <Target row={row} /> },
      { id: 'alert', title: text.alert, align: 'right', width: '140px', isSecondary: true, sort: (row) => row.alert_price, cell: (row) => <AlertLevel row={row} /> },
      { id: 'gap', title: text.gap, hint: text.gapHint, align: 'right', width: 'minmax(80px, 1.1fr)', sort: (row) => nearness(alertAt(row, row.last_price)), cell: (row) => <AlertGap row={row} /> },
      ...(list === 'candidate' ? [reason] : []),
      { id: 'memo', title: text.memo, width: 'minmax(100px, 1.4fr)', isSecondary: true, sort: (row) => row.memo, cell: (row) => <span title={row.memo ?? undefined}>{row.memo || UNKNOWN}</span> },
      {
        id: 'updated',
        title: text.updated,
        width: '104px',
        align: 'right',
        isSecondary: true,
        sort: (row) => row.updated_ts,
        cell: (row) => (
          <span className={css.muted} title={text.by(row.updated_by)}>
            <Time at={row.updated_ts} />
          </span>
        ),
      },
      {
        id: 'tools',
        title: text.tools,
        width: '84px',
        align: 'right',
        isSecondary: true,
        cell: (row) => (
          <span className={css.tools}>
            <Button kind="quiet" size="small" className={css.icon} needs="TRADER" aria-label={text.edit(row.name ?? row.symbol)} onClick={() => onEdit(row)}>
              <Pencil size={14} aria-hidden="true" />
            </Button>
            <Button kind="quiet" size="small" className={css.icon} needs="TRADER" aria-label={text.remove(row.name ?? row.symbol)} onClick={() => onRemove(row)}>
              <Trash2 size={14} aria-hidden="true" />
            </Button>
          </span>
        ),
      },
    ];
  }, [text, list, onEdit, onRemove]);
  return <DataTable label={label} columns={columns} rows={rows} keyOf={(row) => row.symbol} rowHeight={34} height="max(240px, calc(100dvh - 292px - var(--tabs-height)))" onOpen={onEdit} />;
}
