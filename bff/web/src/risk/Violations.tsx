'use client';

import { useState } from 'react';

import { usePages } from '../api/hooks';
import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { Count, Price, Time } from '../ui/figures';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { CheckFigure } from './CheckFigure';
import { NameOf } from './NameOf';
import { LOOK_EVERY_MS, VIOLATIONS_PATH, zViolation, type Violation } from './risk';
import { ViolationDialog } from './ViolationDialog';
import { RISK_TEXT, said } from './words';

const TEXT = texts(
  {
    title: 'Refused entries',
    empty: 'The gate has refused nothing. An entry that would break a limit is listed here with what each check found.',
    time: 'Time',
    stock: 'Stock',
    check: 'Refused by',
    qty: 'Shares',
    price: 'Price',
    after: 'Would be',
    limit: 'Limit',
    message: 'Why',
    more: 'Show more',
  },
  {
    title: '거부된 진입',
    empty: '거부된 진입이 없습니다. 한도를 넘는 진입은 각 심사 결과와 함께 여기에 표시됩니다.',
    time: '시각',
    stock: '종목',
    check: '거부 사유',
    qty: '수량',
    price: '가격',
    after: '주문 후',
    limit: '한도',
    message: '내용',
    more: '더 보기',
  },
);

/** What the gate refused, newest first; a row opens the figures of every check. */
export function Violations() {
  const text = useText(TEXT);
  const words = useText(RISK_TEXT);
  const [opened, setOpened] = useState<Violation | null>(null);
  const list = usePages(VIOLATIONS_PATH, zViolation, { everyMs: LOOK_EVERY_MS });
  const columns: readonly Column<Violation>[] = [
    { id: 'ts', title: text.time, width: '112px', cell: (row) => <Time at={row.ts} /> },
    { id: 'symbol', title: text.stock, width: 'minmax(110px, 1fr)', cell: (row) => <NameOf name={row.symbol} /> },
    { id: 'check', title: text.check, width: '140px', cell: (row) => <Tag tone="bad">{said(words, row.check_type)}</Tag> },
    { id: 'qty', title: text.qty, align: 'right', width: '84px', isSecondary: true, cell: (row) => <Count value={row.qty} /> },
    { id: 'price', title: text.price, align: 'right', width: '96px', isSecondary: true, cell: (row) => <Price value={row.price} /> },
    { id: 'after', title: text.after, align: 'right', width: '130px', isSecondary: true, cell: (row) => <CheckFigure check={row.check_type} value={row.current_value} /> },
    { id: 'limit', title: text.limit, align: 'right', width: '130px', isSecondary: true, cell: (row) => <CheckFigure check={row.check_type} value={row.limit_value} /> },
    { id: 'message', title: text.message, width: 'minmax(180px, 3fr)', isSecondary: true, cell: (row) => <span title={row.message}>{row.message}</span> },
  ];
  const rows = list.data ?? [];
  return (
    <Panel
      title={text.title}
      count={rows.length === 0 ? null : `${rows.length}${list.hasMore ? '+' : ''}`}
      fault={list.fault}
      onRetry={list.retry}
      isLoading={list.isLoading}
      empty={list.data !== undefined && rows.length === 0 ? text.empty : null}
      isFlush
      actions={
        list.hasMore && (
          <Button size="small" isBusy={list.isLoadingMore} onClick={list.more}>
            {text.more}
          </Button>
        )
      }
    >
      <div data-testid="violations">
        <DataTable label={text.title} columns={columns} rows={rows} keyOf={(row) => String(row.id)} onOpen={setOpened} />
      </div>
      {opened !== null && <ViolationDialog violation={opened} onClose={() => setOpened(null)} />}
    </Panel>
  );
}
