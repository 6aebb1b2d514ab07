import Link from 'next/link';
import { useMemo, useState } from 'react';
import type { z } from 'zod';

import { zVerdict } from '../api/generated/zod.gen';
import { unitsOf } from '../money/decimal';
import { formatPrice, formatQty } from '../money/format';
import { REASON_TEXT, worded } from '../orders/reasons';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Stock, Time } from '../ui/figures';
import { Input, Select } from '../ui/form';
import { EmptyList, ListFoot } from '../ui/list';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { heightBeside, TEXT as PAGE_TEXT } from './text';
import { useVerdicts } from './verdicts';
import css from './exits.module.css';

const TEXT = texts(
  {
    status: 'Verdict',
    any: 'Any verdict',
    none: 'No verdict yet. Each change of a candidate is written here once, with the gate that refused.',
    noneLike: 'No verdict is like that among those that are loaded.',
    time: 'Time',
    gate: 'Gate',
    price: 'Price judged',
    rule: 'Rule',
    order: 'Order',
    open: 'Open',
  },
  {
    status: '판정',
    any: '모든 판정',
    none: '아직 판정이 없습니다. 후보의 상태가 바뀔 때마다 거부한 게이트와 함께 한 번씩 기록됩니다.',
    noneLike: '불러온 판정 중 조건에 맞는 것이 없습니다.',
    time: '시각',
    gate: '게이트',
    price: '판단 가격',
    rule: '규칙',
    order: '주문',
    open: '열기',
  },
);

type Verdict = z.infer<typeof zVerdict>;

const STATUSES = ['COOLDOWN', 'WATCH', 'SUBMITTED', 'ENTERED', 'BLOCKED', 'EXPIRED'] as const;

/** Every verdict on every candidate, last first. */
export function Verdicts() {
  const text = useText(TEXT);
  const page = useText(PAGE_TEXT);
  const reasons = useText(REASON_TEXT);
  const { data, isLoading, fault, retry, hasMore, isLoadingMore, more } = useVerdicts();
  const [status, setStatus] = useState('');
  const [typed, setTyped] = useState('');
  const like = typed.trim().toLowerCase();
  const rows = data ?? [];
  const shown = rows.filter((row) => {
    const words = [row.name, row.symbol, row.gate, row.reason, row.rule_id].join(' ').toLowerCase();
    return (status === '' || row.status === status) && words.includes(like);
  });
  const columns = useMemo<Column<Verdict>[]>(
    () => [
      { id: 'time', title: text.time, width: 'minmax(78px, 108px)', sort: (row) => row.id, cell: (row) => <Time at={row.ts} /> },
      { id: 'stock', title: page.stock, width: 'minmax(88px, 1fr)', sort: (row) => row.name, cell: (row) => <Stock name={row.name ?? null} symbol={row.symbol} /> },
      { id: 'status', title: text.status, width: '104px', sort: (row) => row.status, cell: (row) => <Tag>{row.status}</Tag> },
      { id: 'gate', title: text.gate, width: '66px', sort: (row) => row.gate, cell: (row) => row.gate ?? '' },
      {
        id: 'why',
        title: page.why,
        width: 'minmax(140px, 2fr)',
        isSecondary: true,
        sort: (row) => row.reason,
        cell: (row) => <span title={row.reason ?? undefined}>{row.reason == null ? '' : worded(reasons, row.reason)}</span>,
      },
      { id: 'price', title: text.price, align: 'right', isSecondary: true, sort: (row) => row.price, cell: (row) => (row.price == null ? '' : formatPrice(unitsOf(row.price))) },
      { id: 'rule', title: text.rule, width: 'minmax(110px, 0.8fr)', isSecondary: true, sort: (row) => row.rule_id, cell: (row) => <span className={css.muted}>{row.rule_id ?? ''}</span> },
      { id: 'order', title: text.order, width: '62px', isSecondary: true, cell: (row) => (row.order_id == null ? '' : <Link href={`/orders/?id=${row.order_id}`}>{text.open}</Link>) },
    ],
    [text, page, reasons],
  );
  const isFiltered = status !== '' || like !== '';
  return (
    <>
      <div className={css.filters}>
        <Select
          isInline
          label={text.status}
          value={status}
          options={[{ value: '', label: text.any }, ...STATUSES.map((one) => ({ value: one, label: one }))]}
          onChange={(event) => setStatus(event.target.value)}
        />
        <Input isInline type="search" label={page.filter} placeholder={page.filterHint} value={typed} onChange={(event) => setTyped(event.target.value)} />
      </div>
      <Panel title={page.verdicts} count={formatQty(shown.length)} isFlush isLoading={isLoading} fault={fault} onRetry={retry}>
        {shown.length === 0 ? (
          <EmptyList text={isFiltered ? text.noneLike : text.none} />
        ) : (
          <DataTable
            label={page.verdicts}
            columns={columns}
            rows={shown}
            keyOf={(row) => String(row.id)}
            sortedBy={{ id: 'time', desc: true }}
            height={heightBeside(358)}
            isLoadingMore={isLoadingMore}
          />
        )}
        <ListFoot loaded={rows.length} hasMore={hasMore} isLoadingMore={isLoadingMore} onMore={more} />
      </Panel>
    </>
  );
}
