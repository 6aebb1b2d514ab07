'use client';

import { texts, useText } from '../text/text';
import { Dialog } from '../ui/Dialog';
import { Time } from '../ui/figures';
import { Facts } from '../ui/layout';
import { Tag } from '../ui/Tag';
import { changesOf, type Change } from './audit';
import css from './system.module.css';

const TEXT = texts(
  {
    title: (table: string) => `Change of ${table}`,
    time: 'Time',
    actor: 'Who',
    behalf: 'On behalf of',
    op: 'Change',
    request: 'Request',
    reason: 'Reason',
    field: 'Field',
    was: 'Was',
    now: 'Is now',
  },
  {
    title: (table: string) => `${table} 변경`,
    time: '시각',
    actor: '변경자',
    behalf: '대상자',
    op: '종류',
    request: '요청',
    reason: '사유',
    field: '항목',
    was: '이전',
    now: '이후',
  },
);

/** One change: every field that is other, as it was and as it is. */
export function AuditDialog({ change, onClose }: { change: Change; onClose: () => void }) {
  const text = useText(TEXT);
  return (
    <Dialog title={text.title(change.table_name)} isOpen onClose={onClose} isWide>
      <Facts
        facts={[
          [text.time, <Time key="ts" at={change.ts} />],
          [text.actor, change.actor],
          ...(change.on_behalf_of == null ? [] : [[text.behalf, change.on_behalf_of] as const]),
          [text.op, <Tag key="op">{change.op}</Tag>],
          ...(change.reason == null ? [] : [[text.reason, change.reason] as const]),
          ...(change.request_id == null ? [] : [[text.request, <code key="request">{change.request_id}</code>] as const]),
        ]}
      />
      <div className={css.scrolled} tabIndex={0} role="region" aria-label={text.title(change.table_name)}>
        <table className={`${css.table} ${css.diff}`} data-testid="audit-fields">
          <thead>
            <tr>
              <th scope="col">{text.field}</th>
              <th scope="col">{text.was}</th>
              <th scope="col">{text.now}</th>
            </tr>
          </thead>
          <tbody>
            {changesOf(change).map(({ field, was, now }) => (
              <tr key={field}>
                <th scope="row">{field}</th>
                <td className={css.was}>{was ?? '–'}</td>
                <td>{now ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Dialog>
  );
}
