import { useMemo, useState } from 'react';

import { useActor } from '../access/context';
import { zBlacklisted } from '../api/generated/zod.gen';
import { useChange, usePages } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { Stock, Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { BLACKLIST_PATH, BlacklistDialog, type Blacklisted } from './BlacklistDialog';
import { ReasonDialog } from './ReasonDialog';
import { TEXT as PAGE_TEXT } from './text';
import css from './exits.module.css';

const TEXT = texts(
  {
    title: 'Blacklist',
    none: 'No symbol is barred. Add one of which nothing shall be bought back.',
    open: 'no end',
    over: 'over',
    actions: 'Actions',
    remove: 'Take it off the blacklist',
    about: (symbol: string) => `${symbol} may be bought back again after its next exit. Candidates that have ended stay ended.`,
    done: (symbol: string) => `${symbol} is off the blacklist`,
  },
  {
    title: '블랙리스트',
    none: '금지된 종목이 없습니다. 재매수를 막을 종목을 추가하세요.',
    open: '기한 없음',
    over: '만료',
    actions: '작업',
    remove: '블랙리스트 해제',
    about: (symbol: string) => `${symbol}은(는) 다음 청산부터 다시 재매수될 수 있습니다. 이미 종료된 후보는 되살아나지 않습니다.`,
    done: (symbol: string) => `${symbol} 해제됨`,
  },
);

/** Symbols of which nothing is bought back. */
export function Blacklist() {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const { data, isLoading, fault, retry, hasMore, more } = usePages(`${BLACKLIST_PATH}?limit=100`, zBlacklisted, { tables: ['trade.reentry_blacklist'] });
  const [edited, setEdited] = useState<Blacklisted | 'new' | null>(null);
  const [removed, setRemoved] = useState<Blacklisted | null>(null);
  const actor = useActor('asked_by');
  const removal = useChange(
    'POST',
    ({ symbol }: { symbol: string; reason: string }) => `${BLACKLIST_PATH}/${symbol}/remove`,
    zBlacklisted,
    { rereads: [BLACKLIST_PATH], done: (row) => text.done(row.symbol) },
    ({ reason }) => ({ ...actor, ...(reason === '' ? {} : { reason }) }),
  );
  const columns = useMemo<Column<Blacklisted>[]>(
    () => [
      { id: 'symbol', title: page.stock, width: '84px', sort: (row) => row.symbol, cell: (row) => <Stock symbol={row.symbol} /> },
      { id: 'reason', title: page.reason, width: 'minmax(70px, 1.6fr)', sort: (row) => row.reason, cell: (row) => <span title={row.reason}>{row.reason}</span> },
      {
        id: 'until',
        title: page.until,
        width: 'minmax(92px, 124px)',
        isSecondary: true,
        sort: (row) => row.until_ts,
        cell: (row) =>
          row.until_ts == null ? (
            text.open
          ) : (
            <>
              <Time at={row.until_ts} /> {Date.parse(row.until_ts) <= Date.now() && <span className={css.muted}>{text.over}</span>}
            </>
          ),
      },
      { id: 'by', title: page.by, isSecondary: true, sort: (row) => row.created_by, cell: (row) => row.created_by },
      { id: 'since', title: page.since, width: 'minmax(78px, 108px)', isSecondary: true, sort: (row) => row.created_ts, cell: (row) => <Time at={row.created_ts} /> },
      {
        id: 'actions',
        title: text.actions,
        align: 'right',
        width: '148px',
        cell: (row) => (
          <span className={css.row}>
            <Button size="small" needs="TRADER" onClick={() => setEdited(row)} aria-label={`${page.edit} ${row.symbol}`}>
              {page.edit}
            </Button>
            <Button size="small" needs="TRADER" onClick={() => setRemoved(row)} aria-label={`${page.remove} ${row.symbol}`}>
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
          <Button size="small" needs="TRADER" onClick={() => setEdited('new')} data-testid="add-blacklist">
            {page.add}
          </Button>
        }
      >
        <DataTable label={text.title} columns={columns} rows={data ?? []} keyOf={(row) => row.symbol} rowHeight={36} />
        {hasMore && (
          <div className={css.foot}>
            <Button size="small" onClick={more}>
              {page.older}
            </Button>
          </div>
        )}
      </Panel>
      {edited !== null && <BlacklistDialog row={edited === 'new' ? null : edited} onClose={() => setEdited(null)} />}
      {removed !== null && (
        <ReasonDialog
          title={text.remove}
          about={text.about(removed.symbol)}
          action={text.remove}
          onClose={() => setRemoved(null)}
          onConfirm={(reason) => {
            void removal.send({ symbol: removed.symbol, reason });
            setRemoved(null);
          }}
        />
      )}
    </>
  );
}
