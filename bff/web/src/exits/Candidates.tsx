import { useEffect, useMemo, useState } from 'react';

import { useActor } from '../access/context';
import { zExpiry } from '../api/generated/zod.gen';
import { useChange } from '../api/hooks';
import { unitsOf } from '../money/decimal';
import { formatPrice, formatQty } from '../money/format';
import { useLiveList } from '../orders/liveList';
import { useParams } from '../shell/address';
import { REASON_TEXT, worded } from '../orders/reasons';
import { Beside } from '../orders/Sheet';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Stock, Time } from '../ui/figures';
import { Choice, Input } from '../ui/form';
import { EmptyList, ListFoot } from '../ui/list';
import { Panel } from '../ui/Panel';
import { CandidateSheet } from './CandidateSheet';
import { CandidateState } from './CandidateState';
import { isOpen, type Candidate } from './gates';
import { GateStrip } from './Gates';
import { LastPrice, SinceExit } from './LivePrice';
import { ReasonDialog } from './ReasonDialog';
import { heightBeside, TEXT as PAGE_TEXT } from './text';
import css from './exits.module.css';

const TEXT = texts(
  {
    which: 'Which candidates',
    open: 'Open',
    ended: 'Ended',
    none: 'No candidate yet. One is made of every exit whose reason may lead to a re-entry.',
    noneLike: 'No candidate is like that among those that are loaded.',
    exit: 'Exit',
    exited: 'Exited',
    exitPrice: 'Exit price',
    price: 'Last',
    since: 'Since exit',
    state: 'State',
    gates: 'Gates',
    expire: 'End the candidate',
    about: (name: string) => `${name} is not bought back after this exit. An order that is under way is not cancelled by it.`,
    done: 'The candidate is to end',
  },
  {
    which: '후보 상태',
    open: '진행 중',
    ended: '종료',
    none: '아직 재진입 후보가 없습니다. 재진입이 가능한 사유로 청산되면 생성됩니다.',
    noneLike: '불러온 후보 중 조건에 맞는 것이 없습니다.',
    exit: '청산 사유',
    exited: '청산 시각',
    exitPrice: '청산가',
    price: '현재가',
    since: '청산가 대비',
    state: '상태',
    gates: '게이트',
    expire: '후보 만료',
    about: (name: string) => `이번 청산에 대해 ${name}을(를) 재매수하지 않습니다. 진행 중인 주문은 취소되지 않습니다.`,
    done: '후보 만료를 요청했습니다',
  },
);

type Which = 'all' | 'open' | 'ended';

/** What was sold and may be bought back: how each stands before the gates. */
export function Candidates() {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const reasons = useText(REASON_TEXT);
  const [params, setParams] = useParams(['candidate', 'state']);
  const { rows, isReady, hasMore, isLoadingMore, fault, retry, loadMore } = useLiveList('candidates');
  const [typed, setTyped] = useState('');
  const [expiring, setExpiring] = useState<Candidate | null>(null);
  const [asked, setAsked] = useState<ReadonlySet<string>>(new Set());
  const actor = useActor('asked_by');
  const change = useChange(
    'POST',
    ({ id }: { id: string; reason: string }) => `/api/v1/reentry/candidates/${id}/force-expire`,
    zExpiry,
    {
      expect: ({ id }) => {
        setAsked((before) => new Set(before).add(id));
        return () => setAsked((before) => new Set([...before].filter((one) => one !== id)));
      },
      rereads: ['/api/v1/reentry/history'],
      done: () => text.done,
    },
    ({ reason }) => ({ ...actor, ...(reason === '' ? {} : { reason }) }),
  );
  const which: Which = params.state === 'open' || params.state === 'ended' ? params.state : 'all';
  const like = typed.trim().toLowerCase();
  const shown = rows.filter((row) => {
    const words = [row.name, row.symbol, row.exit_reason_code, row.state, row.blocked_gate, row.blocked_reason].join(' ').toLowerCase();
    return (which === 'all' || isOpen(row) === (which === 'open')) && words.includes(like);
  });
  const open = params.candidate === null ? undefined : rows.find((row) => row.candidate_id === params.candidate);
  // A link may lead to a candidate of long ago.
  const isFar = params.candidate !== null && open === undefined && isReady && hasMore && !isLoadingMore;
  useEffect(() => {
    if (isFar) loadMore();
  }, [isFar, loadMore]);
  const isAsked = (row: Candidate) => asked.has(row.candidate_id) && isOpen(row);
  const columns = useMemo<Column<Candidate>[]>(
    () => [
      { id: 'stock', title: page.stock, width: 'minmax(96px, 1.4fr)', sort: (row) => row.name, cell: (row) => <Stock name={row.name ?? null} symbol={row.symbol} /> },
      {
        id: 'exit',
        title: text.exit,
        width: 'minmax(78px, 0.8fr)',
        isSecondary: true,
        sort: (row) => row.exit_reason_code,
        cell: (row) => <span title={worded(reasons, row.exit_reason_code)}>{row.exit_reason_code.replaceAll('_', ' ')}</span>,
      },
      { id: 'exited', title: text.exited, width: 'minmax(78px, 108px)', isSecondary: true, sort: (row) => row.exit_ts, cell: (row) => <Time at={row.exit_ts} /> },
      { id: 'exitPrice', title: text.exitPrice, align: 'right', isSecondary: true, sort: (row) => row.exit_price, cell: (row) => formatPrice(unitsOf(row.exit_price)) },
      { id: 'price', title: text.price, align: 'right', isSecondary: true, cell: (row) => <LastPrice symbol={row.symbol} /> },
      { id: 'since', title: text.since, align: 'right', width: '94px', cell: (row) => <SinceExit symbol={row.symbol} exitPrice={row.exit_price} /> },
      { id: 'state', title: text.state, width: 'minmax(104px, 136px)', sort: (row) => row.state, cell: (row) => <CandidateState candidate={row} isAsked={isAsked(row)} /> },
      { id: 'gates', title: text.gates, width: '276px', isSecondary: true, cell: (row) => <GateStrip candidate={row} /> },
    ],
    [text, page, reasons, asked],
  );
  const isFiltered = which !== 'all' || like !== '';
  return (
    <>
      <div className={css.filters}>
        <Choice
          label={text.which}
          at={which}
          options={[
            { value: 'all' as const, label: page.all },
            { value: 'open' as const, label: `${text.open} ${rows.filter(isOpen).length}` },
            { value: 'ended' as const, label: text.ended },
          ]}
          onChange={(value) => setParams({ state: value === 'all' ? null : value })}
        />
        <Input isInline type="search" label={page.filter} placeholder={page.filterHint} value={typed} onChange={(event) => setTyped(event.target.value)} />
      </div>
      <Beside
        list={
          <Panel title={page.candidates} count={formatQty(shown.length)} isFlush isLoading={!isReady} fault={fault} onRetry={retry}>
            {shown.length === 0 ? (
              <EmptyList
                text={isFiltered ? text.noneLike : text.none}
                onClear={
                  isFiltered
                    ? () => {
                        setParams({ state: null });
                        setTyped('');
                      }
                    : undefined
                }
              />
            ) : (
              <DataTable
                label={page.candidates}
                columns={open === undefined ? columns : columns.filter(({ id }) => id !== 'gates' && id !== 'exitPrice')}
                rows={shown}
                keyOf={(row) => row.candidate_id}
                sortedBy={{ id: 'exited', desc: true }}
                onOpen={(row) => setParams({ candidate: row.candidate_id }, params.candidate === null)}
                openKey={params.candidate}
                height={heightBeside(358)}
                isLoadingMore={isLoadingMore}
                {...(isFiltered || !hasMore ? {} : { onEnd: loadMore })}
              />
            )}
            <ListFoot loaded={rows.length} hasMore={hasMore} isLoadingMore={isLoadingMore} onMore={loadMore} />
          </Panel>
        }
        sheet={
          open === undefined ? null : (
            <CandidateSheet candidate={open} isAsked={isAsked(open)} onExpire={() => setExpiring(open)} onClose={() => setParams({ candidate: null })} />
          )
        }
      />
      {expiring !== null && (
        <ReasonDialog
          title={text.expire}
          about={text.about(expiring.name ?? expiring.symbol)}
          action={text.expire}
          onClose={() => setExpiring(null)}
          onConfirm={(reason) => {
            void change.send({ id: expiring.candidate_id, reason });
            setExpiring(null);
          }}
        />
      )}
    </>
  );
}
