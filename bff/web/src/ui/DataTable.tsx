import {
  createSortedRowModel,
  rowSortingFeature,
  tableFeatures,
  useTable,
  type SortingState,
} from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';

import { texts, useText } from '../text/text';
import css from './DataTable.module.css';

const TEXT = texts(
  { sort: (title: string) => `Sort by ${title}`, more: 'Loading more' },
  { sort: (title: string) => `${title} 정렬`, more: '더 불러오는 중' },
);

/** What is sorted by: numbers, texts, and what is not known last. */
export type SortValue = number | bigint | string | null | undefined;

export interface Column<Row> {
  id: string;
  title: string;
  /** Explains a title that is not plain. */
  hint?: string;
  align?: 'right' | 'center';
  /** Track of the grid: a width such as `120px`, or `minmax(140px, 2fr)`. */
  width?: string;
  /** The same on a phone. */
  narrow?: string;
  /** Left out on a phone. */
  isSecondary?: boolean;
  /** What it is sorted by; without it it is not. */
  sort?: (row: Row) => SortValue;
  cell: (row: Row) => ReactNode;
}

interface DataTableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** First order. */
  sortedBy?: { id: string; desc: boolean };
  /** What a click or Enter on a row does. */
  onOpen?: (row: Row) => void;
  /** The row that is open. */
  openKey?: string | null;
  /** Pixels of one row. */
  rowHeight?: number;
  /** How high the scrolled part may become, such as `420px` or `60vh`; without it the table shows all rows. */
  height?: string;
  /** Called near the end of the rows. */
  onEnd?: () => void;
  isLoadingMore?: boolean;
}

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });

function compare(a: SortValue, b: SortValue): number {
  if (a == null || b == null) return a == null ? (b == null ? 0 : 1) : -1;
  if (typeof a === 'string' || typeof b === 'string') return String(a).localeCompare(String(b), 'ko');
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Rows of which all are drawn anyway. */
const PLAIN_MAX = 60;

const Cells = memo(function Cells<Row>({ columns, row }: { columns: readonly Column<Row>[]; row: Row }) {
  return columns.map((column, index) => (
    <div
      key={column.id}
      role={index === 0 ? 'rowheader' : 'cell'}
      className={[css.cell, column.align !== undefined && css[column.align], column.isSecondary && css.secondary]
        .filter(Boolean)
        .join(' ')}
    >
      {column.cell(row)}
    </div>
  ));
}) as <Row>(props: { columns: readonly Column<Row>[]; row: Row }) => ReactNode;

/** A dense table: sorted by a click on a title, drawn only as far as it is seen, used by keyboard too. */
export function DataTable<Row>({
  label,
  columns,
  rows,
  keyOf,
  sortedBy,
  onOpen,
  openKey = null,
  rowHeight = 32,
  height,
  onEnd,
  isLoadingMore = false,
}: DataTableProps<Row>) {
  const text = useText(TEXT);
  const [sorting, setSorting] = useState<SortingState>(sortedBy === undefined ? [] : [sortedBy]);
  const definitions = useMemo(
    () =>
      columns.map((column) => ({
        id: column.id,
        accessorFn: (row: Row) => column.sort?.(row) ?? null,
        enableSorting: column.sort !== undefined,
        sortDescFirst: column.align === 'right',
        sortFn: (a: { original: Row }, b: { original: Row }) => compare(column.sort?.(a.original), column.sort?.(b.original)),
      })),
    [columns],
  );
  const data = rows as Row[];
  const table = useTable(
    {
      features,
      columns: definitions as never,
      data: data as never,
      state: { sorting },
      onSortingChange: setSorting,
      getRowId: keyOf as never,
    },
    (state) => state.sorting,
  );
  const sorted = table.getRowModel().rows as unknown as { id: string; original: Row }[];
  const scroll = useRef<HTMLDivElement>(null);
  const isScrolled = height !== undefined;
  const isVirtual = isScrolled && sorted.length > PLAIN_MAX;
  const virtual = useVirtualizer({
    count: isVirtual ? sorted.length : 0,
    getScrollElement: () => scroll.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    getItemKey: (index) => sorted[index]?.id ?? index,
  });
  const drawn = isVirtual
    ? virtual.getVirtualItems().map(({ index, start }) => ({ row: sorted[index], index, start }))
    : sorted.map((row, index) => ({ row, index, start: null }));
  const lastDrawn = drawn.at(-1)?.index ?? 0;
  useEffect(() => {
    if (onEnd !== undefined && lastDrawn >= sorted.length - 5) onEnd();
  }, [onEnd, lastDrawn, sorted.length]);

  const wide = columns.map((column) => column.width ?? 'minmax(76px, 1fr)').join(' ');
  const narrow = columns
    .filter((column) => column.isSecondary !== true)
    .map((column) => column.narrow ?? column.width ?? 'minmax(64px, 1fr)')
    .join(' ');
  const keys = (event: KeyboardEvent<HTMLDivElement>, row: Row) => {
    if (event.target !== event.currentTarget) return;
    const { currentTarget: shown } = event;
    if (event.key === 'Enter') onOpen?.(row);
    else if (event.key === 'ArrowDown') (shown.nextElementSibling as HTMLElement | null)?.focus();
    else if (event.key === 'ArrowUp') (shown.previousElementSibling as HTMLElement | null)?.focus();
    else return;
    event.preventDefault();
  };

  return (
    <div
      ref={scroll}
      className={`${css.scroll} ${isScrolled ? css.own : ''}`}
      style={isScrolled ? { maxHeight: height } : undefined}
      role="region"
      aria-label={label}
      tabIndex={0}
    >
      <div
        role="table"
        aria-label={label}
        aria-rowcount={sorted.length + 1}
        className={css.table}
        style={{ '--wide': wide, '--narrow': narrow, '--row-height': `${rowHeight}px` } as never}
      >
        <div role="rowgroup" className={css.head}>
          <div role="row" className={css.row}>
            {columns.map((column) => {
              const by = sorting.find(({ id }) => id === column.id);
              const order = by === undefined ? undefined : by.desc ? 'descending' : 'ascending';
              return (
                <div
                  key={column.id}
                  role="columnheader"
                  aria-sort={order}
                  className={[css.cell, column.align !== undefined && css[column.align], column.isSecondary && css.secondary]
                    .filter(Boolean)
                    .join(' ')}
                  title={column.hint}
                >
                  {column.sort === undefined ? (
                    column.title
                  ) : (
                    <button
                      type="button"
                      className={css.sort}
                      aria-label={text.sort(column.title)}
                      onClick={() => table.getColumn(column.id)?.toggleSorting()}
                    >
                      {column.title}
                      <span aria-hidden="true" className={css.order}>
                        {order === undefined ? '' : by?.desc === true ? '↓' : '↑'}
                      </span>
                    </button>
                  )}
                </div>
              );
            })}
          </div>
        </div>
        <div role="rowgroup" className={css.body} style={isVirtual ? { height: virtual.getTotalSize() } : undefined}>
          {drawn.map(({ row, index, start }) =>
            row === undefined ? null : (
              <div
                key={row.id}
                role="row"
                aria-rowindex={index + 2}
                aria-current={row.id === openKey ? 'true' : undefined}
                data-key={row.id}
                tabIndex={onOpen === undefined ? undefined : 0}
                className={`${css.row} ${onOpen === undefined ? '' : css.opens} ${start === null ? '' : css.placed}`}
                style={start === null ? undefined : { transform: `translateY(${start}px)` }}
                onClick={(event) => {
                  const isInner = (event.target as HTMLElement).closest('a, button, input, select, label') !== null;
                  if (!isInner) onOpen?.(row.original);
                }}
                onKeyDown={(event) => keys(event, row.original)}
              >
                <Cells columns={columns} row={row.original} />
              </div>
            ),
          )}
        </div>
      </div>
      {isLoadingMore && <p className={css.more}>{text.more}…</p>}
    </div>
  );
}
