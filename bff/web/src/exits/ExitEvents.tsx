import { useRouter } from 'next/navigation';
import { useMemo, useState } from 'react';
import type { z } from 'zod';

import { zExitEvent } from '../api/generated/zod.gen';
import { unitsOf } from '../money/decimal';
import { basisPointsOfPercent, formatPrice, formatQty } from '../money/format';
import { useLiveList } from '../orders/liveList';
import { REASON_TEXT, worded } from '../orders/reasons';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Percent, SignedWon, Stock, Time } from '../ui/figures';
import { Choice, Input } from '../ui/form';
import { Stat, Stats } from '../ui/layout';
import { EmptyList, ListFoot } from '../ui/list';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { heightBeside, TEXT as PAGE_TEXT } from './text';
import css from './exits.module.css';

const TEXT = texts(
  {
    days: 'Which days',
    today: 'Today',
    realised: 'Realised P&L',
    net: (count: string, isPart: boolean) => `${isPart ? 'newest ' : ''}${count} exits, after fee and tax`,
    gains: 'Gains',
    losses: 'Losses',
    best: 'Best',
    worst: 'Worst',
    none: 'No position was closed yet. An exit is listed once the broker has confirmed that nothing of it is left.',
    noneLike: 'No exit is like that among those that are loaded.',
    time: 'Exited',
    source: 'Source',
    qty: 'Shares',
    price: 'Average price',
    pnl: 'Realised P&L',
    pct: 'Return',
  },
  {
    days: '기간',
    today: '오늘',
    realised: '실현 손익',
    net: (count: string, isPart: boolean) => `${isPart ? '최근 ' : ''}${count}건, 수수료·세금 차감 후`,
    gains: '수익',
    losses: '손실',
    best: '최고',
    worst: '최저',
    none: '아직 청산된 포지션이 없습니다. 증권사가 잔량 0을 확인하면 표시됩니다.',
    noneLike: '불러온 청산 중 조건에 맞는 것이 없습니다.',
    time: '청산 시각',
    source: '주체',
    qty: '수량',
    price: '평균가',
    pnl: '실현 손익',
    pct: '수익률',
  },
);

const SOURCE_TEXT = texts(
  { AUTO_EXIT: 'The engine', MANUAL: 'By hand', BROKER: 'The broker', UNKNOWN: 'Unknown' },
  { AUTO_EXIT: '엔진', MANUAL: '수동', BROKER: '증권사', UNKNOWN: '불명' },
);

type ExitEvent = z.infer<typeof zExitEvent>;

function seoulToday(): string {
  return new Date(Date.now() + 9 * 3_600_000).toISOString().slice(0, 10);
}

/** Positions that were closed, with what each has brought. */
export function ExitEvents() {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const reasons = useText(REASON_TEXT);
  const sources = useText(SOURCE_TEXT);
  const router = useRouter();
  const { rows, isReady, hasMore, isLoadingMore, fault, retry, loadMore } = useLiveList('exits');
  const [days, setDays] = useState<'all' | 'today'>('all');
  const [typed, setTyped] = useState('');
  const today = seoulToday();
  const like = typed.trim().toLowerCase();
  const shown = rows.filter((row) => {
    const words = [row.name, row.symbol, row.exit_reason_code, row.source].join(' ').toLowerCase();
    return (days === 'all' || row.exit_ts.startsWith(today)) && words.includes(like);
  });
  const results = shown.map((row) => unitsOf(row.realized_pnl) ?? 0n);
  const sum = results.reduce((all, one) => all + one, 0n);
  const sorted = [...results].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const isPart = hasMore && (days === 'all' || (rows.at(-1)?.exit_ts.startsWith(today) ?? false));
  const isFiltered = days !== 'all' || like !== '';
  const columns = useMemo<Column<ExitEvent>[]>(
    () => [
      { id: 'time', title: text.time, width: 'minmax(78px, 108px)', sort: (row) => row.exit_ts, cell: (row) => <Time at={row.exit_ts} /> },
      { id: 'stock', title: page.stock, width: 'minmax(92px, 1.6fr)', sort: (row) => row.name, cell: (row) => <Stock name={row.name ?? null} symbol={row.symbol} /> },
      {
        id: 'reason',
        title: page.reason,
        width: 'minmax(66px, 1fr)',
        sort: (row) => row.exit_reason_code,
        cell: (row) => <span title={worded(reasons, row.exit_reason_code)}>{row.exit_reason_code.replaceAll('_', ' ')}</span>,
      },
      { id: 'source', title: text.source, width: 'minmax(84px, 0.7fr)', isSecondary: true, sort: (row) => row.source, cell: (row) => <Tag tone="muted">{worded(sources, row.source)}</Tag> },
      { id: 'qty', title: text.qty, align: 'right', isSecondary: true, sort: (row) => row.exit_qty, cell: (row) => formatQty(row.exit_qty) },
      { id: 'price', title: text.price, align: 'right', width: 'minmax(100px, 1fr)', isSecondary: true, sort: (row) => row.exit_avg_price, cell: (row) => formatPrice(unitsOf(row.exit_avg_price)) },
      {
        id: 'pnl',
        title: text.pnl,
        align: 'right',
        width: 'minmax(80px, 1fr)',
        sort: (row) => row.realized_pnl,
        cell: (row) => <SignedWon value={row.realized_pnl} basisPoints={basisPointsOfPercent(row.realized_pnl_pct)} />,
      },
      { id: 'pct', title: text.pct, align: 'right', width: 'minmax(64px, 0.7fr)', isSecondary: true, sort: (row) => row.realized_pnl_pct, cell: (row) => <Percent value={row.realized_pnl_pct} hasArrow /> },
    ],
    [text, page, reasons, sources],
  );
  return (
    <>
      <Stats>
        <Stat name={text.realised} note={text.net(formatQty(shown.length), isPart)} testId="realised">
          <SignedWon value={sum} />
        </Stat>
        <Stat name={text.gains}>{results.filter((one) => one > 0n).length}</Stat>
        <Stat name={text.losses}>{results.filter((one) => one < 0n).length}</Stat>
        <Stat name={text.best}>
          <SignedWon value={sorted.at(-1)} />
        </Stat>
        <Stat name={text.worst}>
          <SignedWon value={sorted[0]} />
        </Stat>
      </Stats>
      <div className={css.filters}>
        <Choice
          label={text.days}
          at={days}
          options={[
            { value: 'all' as const, label: page.all },
            { value: 'today' as const, label: text.today },
          ]}
          onChange={setDays}
        />
        <Input isInline type="search" label={page.filter} placeholder={page.filterHint} value={typed} onChange={(event) => setTyped(event.target.value)} />
      </div>
      <Panel title={page.exits} count={formatQty(shown.length)} isFlush isLoading={!isReady} fault={fault} onRetry={retry}>
        {shown.length === 0 ? (
          <EmptyList
            text={isFiltered ? text.noneLike : text.none}
            onClear={
              isFiltered
                ? () => {
                    setDays('all');
                    setTyped('');
                  }
                : undefined
            }
          />
        ) : (
          <DataTable
            label={page.exits}
            columns={columns}
            rows={shown}
            keyOf={(row) => row.exit_event_id}
            sortedBy={{ id: 'time', desc: true }}
            onOpen={(row) => router.push(`/position/?id=${row.position_id}`)}
            height={heightBeside(442)}
            isLoadingMore={isLoadingMore}
            {...(isFiltered || !hasMore ? {} : { onEnd: loadMore })}
          />
        )}
        <ListFoot loaded={rows.length} hasMore={hasMore} isLoadingMore={isLoadingMore} onMore={loadMore} />
      </Panel>
    </>
  );
}
