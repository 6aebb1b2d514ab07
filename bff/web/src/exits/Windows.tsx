import { useMemo, useState } from 'react';

import { useActor } from '../access/context';
import { zWindow } from '../api/generated/zod.gen';
import { useChange, usePages } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { ReasonDialog } from './ReasonDialog';
import { TEXT as PAGE_TEXT } from './text';
import { WindowDialog, WINDOWS_PATH, type Window } from './WindowDialog';
import css from './exits.module.css';

const TEXT = texts(
  {
    title: 'Times of day without entries',
    none: 'There is no window: entries may come at any time the market is open.',
    id: 'Name',
    from: 'From',
    state: 'In force',
    on: 'on',
    off: 'off',
    changed: 'Changed',
    actions: 'Actions',
    remove: 'Remove the window',
    about: (id: string) => `Entries may come in the time of ${id} again.`,
    done: (id: string) => `Window ${id} removed`,
  },
  {
    title: '진입 금지 시간대',
    none: '시간대가 없습니다. 장중 언제든 진입할 수 있습니다.',
    id: '이름',
    from: '시작',
    state: '적용',
    on: '적용',
    off: '해제',
    changed: '변경 시각',
    actions: '작업',
    remove: '시간대 삭제',
    about: (id: string) => `${id} 시간대에 다시 진입할 수 있게 됩니다.`,
    done: (id: string) => `시간대 ${id} 삭제됨`,
  },
);

/** Times of day in which nothing is bought back. */
export function Windows() {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const { data, isLoading, fault, retry, hasMore, more } = usePages(`${WINDOWS_PATH}?limit=100`, zWindow, { tables: ['trade.reentry_windows'] });
  const [edited, setEdited] = useState<Window | 'new' | null>(null);
  const [removed, setRemoved] = useState<Window | null>(null);
  const actor = useActor('asked_by');
  const removal = useChange(
    'POST',
    ({ id }: { id: string; reason: string }) => `${WINDOWS_PATH}/${encodeURIComponent(id)}/remove`,
    zWindow,
    { rereads: [WINDOWS_PATH], done: (row) => text.done(row.window_id) },
    ({ reason }) => ({ ...actor, ...(reason === '' ? {} : { reason }) }),
  );
  const columns = useMemo<Column<Window>[]>(
    () => [
      { id: 'id', title: text.id, sort: (row) => row.window_id, cell: (row) => row.window_id },
      { id: 'from', title: text.from, width: '74px', sort: (row) => row.from_time, cell: (row) => row.from_time },
      { id: 'until', title: page.until, width: '74px', sort: (row) => row.until_time, cell: (row) => row.until_time },
      { id: 'state', title: text.state, width: '72px', isSecondary: true, cell: (row) => <Tag tone={row.is_active ? 'good' : 'muted'}>{row.is_active ? text.on : text.off}</Tag> },
      { id: 'reason', title: page.reason, width: 'minmax(80px, 1.4fr)', isSecondary: true, cell: (row) => <span title={row.reason ?? undefined}>{row.reason}</span> },
      { id: 'by', title: page.by, isSecondary: true, sort: (row) => row.updated_by, cell: (row) => row.updated_by },
      { id: 'changed', title: text.changed, width: 'minmax(78px, 108px)', isSecondary: true, sort: (row) => row.updated_ts, cell: (row) => <Time at={row.updated_ts} /> },
      {
        id: 'actions',
        title: text.actions,
        align: 'right',
        width: '148px',
        cell: (row) => (
          <span className={css.row}>
            <Button size="small" needs="TRADER" onClick={() => setEdited(row)} aria-label={`${page.edit} ${row.window_id}`}>
              {page.edit}
            </Button>
            <Button size="small" needs="TRADER" onClick={() => setRemoved(row)} aria-label={`${page.remove} ${row.window_id}`}>
              {page.remove}
            </Button>
          </span>
        ),
      },
    ],
    [text, page],
  );
  return (
    <>
      <Panel
        title={text.title}
        count={data?.length ?? null}
        isFlush
        isLoading={isLoading}
        fault={fault}
        onRetry={retry}
        empty={data?.length === 0 ? text.none : null}
        actions={
          <Button size="small" needs="TRADER" onClick={() => setEdited('new')} data-testid="add-window">
            {page.add}
          </Button>
        }
      >
        <DataTable label={text.title} columns={columns} rows={data ?? []} keyOf={(row) => row.window_id} rowHeight={36} />
        {hasMore && (
          <div className={css.foot}>
            <Button size="small" onClick={more}>
              {page.older}
            </Button>
          </div>
        )}
      </Panel>
      {edited !== null && <WindowDialog window={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
      {removed !== null && (
        <ReasonDialog
          title={text.remove}
          about={text.about(removed.window_id)}
          action={text.remove}
          onClose={() => setRemoved(null)}
          onConfirm={(reason) => {
            void removal.send({ id: removed.window_id, reason });
            setRemoved(null);
          }}
        />
      )}
    </>
  );
}
