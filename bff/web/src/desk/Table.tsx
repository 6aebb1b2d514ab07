import type { ReactNode } from 'react';

import css from './Table.module.css';

export interface Column<Row> {
  title: string;
  /** Explains a title that is not plain. */
  hint?: string;
  align?: 'right';
  /** Left out on a phone. */
  isSecondary?: boolean;
  cell: (row: Row) => ReactNode;
}

function classOf<Row>(column: Column<Row>): string {
  return [column.align === 'right' && css.right, column.isSecondary && css.secondary]
    .filter(Boolean)
    .join(' ');
}

/** The cells of one row; the first names the row. */
export function RowCells<Row>({ columns, row }: { columns: readonly Column<Row>[]; row: Row }) {
  return columns.map((column, index) =>
    index === 0 ? (
      <th key={column.title} scope="row" className={css.first}>
        {column.cell(row)}
      </th>
    ) : (
      <td key={column.title} className={classOf(column)}>
        {column.cell(row)}
      </td>
    ),
  );
}

interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  children: ReactNode;
}

/** A dense table that scrolls in itself, by keyboard too. */
export function Table<Row>({ label, columns, children }: TableProps<Row>) {
  return (
    <div className={css.scroll} role="region" aria-label={`${label}, table`} tabIndex={0}>
      <table className={css.table} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" className={classOf(column)} title={column.hint}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
