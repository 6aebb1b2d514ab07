import { useMemo } from 'react';

import { zWindow } from '../api/generated/zod.gen';
import { texts, useText } from '../text/text';
import type { Column } from '../ui/DataTable';
import { Time } from '../ui/figures';
import { Tag } from '../ui/Tag';
import { KeptList } from './KeptList';
import { TEXT as PAGE_TEXT } from './text';
import { WindowDialog, WINDOWS_PATH, type Window } from './WindowDialog';

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
    remove: '시간대 삭제',
    about: (id: string) => `${id} 시간대에 다시 진입할 수 있게 됩니다.`,
    done: (id: string) => `시간대 ${id} 삭제됨`,
  },
);

const keyOf = ({ window_id }: Window) => window_id;

/** Times of day in which nothing is bought back. */
export function Windows() {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const columns = useMemo<Column<Window>[]>(
    () => [
      { id: 'id', title: text.id, sort: (row) => row.window_id, cell: (row) => row.window_id },
      { id: 'from', title: text.from, width: '74px', sort: (row) => row.from_time, cell: (row) => row.from_time },
      { id: 'until', title: page.until, width: '74px', sort: (row) => row.until_time, cell: (row) => row.until_time },
      { id: 'state', title: text.state, width: '72px', isSecondary: true, cell: (row) => <Tag tone={row.is_active ? 'good' : 'muted'}>{row.is_active ? text.on : text.off}</Tag> },
      { id: 'reason', title: page.reason, width: 'minmax(80px, 1.4fr)', isSecondary: true, cell: (row) => <span title={row.reason ?? undefined}>{row.reason}</span> },
      { id: 'by', title: page.by, isSecondary: true, sort: (row) => row.updated_by, cell: (row) => row.updated_by },
      { id: 'changed', title: text.changed, width: 'minmax(78px, 108px)', isSecondary: true, sort: (row) => row.updated_ts, cell: (row) => <Time at={row.updated_ts} /> },
    ],
    [text, page],
  );
  return (
    <KeptList
      path={WINDOWS_PATH}
      row={zWindow}
      table="trade.reentry_windows"
      keyOf={keyOf}
      columns={columns}
      said={text}
      addId="add-window"
      editor={(window, onClose) => <WindowDialog window={window} onClose={onClose} />}
    />
  );
}
