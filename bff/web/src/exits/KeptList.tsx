import { useMemo, useState, type ReactNode } from 'react';
import type { z } from 'zod';

import { useActor } from '../access/context';
import { useChange, usePages } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { PagesFoot } from '../ui/list';
import { Panel } from '../ui/Panel';
import { ReasonDialog } from './ReasonDialog';
import { TEXT as PAGE_TEXT } from './text';
import css from './exits.module.css';

const TEXT = texts({ actions: 'Actions' }, { actions: '작업' });

/** What a list is called, and what is said of its entries. */
interface Said {
  title: string;
  /** Where there is no entry. */
  none: string;
  remove: string;
  /** What removing an entry comes to. */
  about: (key: string) => string;
  done: (key: string) => string;
}

interface KeptListProps<Row> {
  path: string;
  row: z.ZodType<Row>;
  /** A change of it is read at once. */
  table: string;
  keyOf: (row: Row) => string;
  columns: readonly Column<Row>[];
  said: Said;
  /** Of the button that adds an entry. */
  addId: string;
  /** Edits an entry, or adds one where there is none. */
  editor: (row: Row | null, onClose: () => void) => ReactNode;
}

/** A list that the operator keeps by hand: entries are added, edited, and removed with a reason. */
export function KeptList<Row>({ path, row: schema, table, keyOf, columns, said, addId, editor }: KeptListProps<Row>) {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const list = usePages(`${path}?limit=100`, schema, { tables: [table] });
  const { data, isLoading, fault, retry } = list;
  const [edited, setEdited] = useState<Row | 'new' | null>(null);
  const [removed, setRemoved] = useState<Row | null>(null);
  const actor = useActor('asked_by');
  const removal = useChange(
    'POST',
    ({ key }: { key: string; reason: string }) => `${path}/${encodeURIComponent(key)}/remove`,
    schema,
    { rereads: [path], done: (row) => said.done(keyOf(row)) },
    ({ reason }) => ({ ...actor, ...(reason === '' ? {} : { reason }) }),
  );
  const shown = useMemo<Column<Row>[]>(
    () => [
      ...columns,
      {
        id: 'actions',
        title: text.actions,
        align: 'right',
        width: '148px',
        cell: (row) => (
          <span className={css.row}>
            <Button size="small" needs="TRADER" onClick={() => setEdited(row)} aria-label={`${page.edit} ${keyOf(row)}`}>
              {page.edit}
            </Button>
            <Button size="small" needs="TRADER" onClick={() => setRemoved(row)} aria-label={`${page.remove} ${keyOf(row)}`}>
              {page.remove}
            </Button>
          </span>
        ),
      },
    ],
    [columns, keyOf, text, page],
  );
  return (
    <>
      <Panel
        title={said.title}
        count={data?.length ?? null}
        isFlush
        isLoading={isLoading}
        fault={fault}
        onRetry={retry}
        empty={data?.length === 0 ? said.none : null}
        actions={
          <Button size="small" needs="TRADER" onClick={() => setEdited('new')} data-testid={addId}>
            {page.add}
          </Button>
        }
      >
        <DataTable label={said.title} columns={shown} rows={data ?? []} keyOf={keyOf} rowHeight={36} />
        <PagesFoot list={list} />
      </Panel>
      {edited !== null && editor(edited === 'new' ? null : edited, () => setEdited(null))}
      {removed !== null && (
        <ReasonDialog
          title={said.remove}
          about={said.about(keyOf(removed))}
          action={said.remove}
          onClose={() => setRemoved(null)}
          onConfirm={(reason) => {
            void removal.send({ key: keyOf(removed), reason });
            setRemoved(null);
          }}
        />
      )}
    </>
  );
}
