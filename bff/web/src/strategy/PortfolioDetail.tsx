'use client';

import { useMemo, useState, type ReactNode } from 'react';

import { texts, useText } from '../text/text';
import { Button } from '../ui/Button';
import { DataTable, type Column } from '../ui/DataTable';
import { Ratio, Stock, Time } from '../ui/figures';
import { Choice, Select } from '../ui/form';
import { Facts } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { ActivateDialog } from './ActivateDialog';
import { Difference } from './Difference';
import type { Portfolio } from './PortfolioTab';
import { Trading } from './Trading';
import { WeightBar } from './WeightBar';
import css from './PortfolioDetail.module.css';

const TEXT = texts(
  {
    title: 'Portfolio',
    parts: 'What of the portfolio is shown',
    names: 'Names',
    compare: 'Compare',
    trading: 'Trading',
    activate: 'Activate',
    rank: '#',
    stock: 'Stock',
    sector: 'Sector',
    weight: 'Weight',
    cash: 'Cash',
    invested: 'Invested',
    by: 'Activated by',
    at: 'Activated',
    why: 'Because',
    archived: 'Archived',
    notes: 'Notes',
    from: 'Compared with',
    alone: 'There is no other portfolio to compare it with.',
    untraded: 'A draft is not traded. Activate it, and the next rebalance brings the account to its weights.',
    active: 'active',
  },
  {
    title: '포트폴리오',
    parts: '표시 내용',
    names: '종목',
    compare: '비교',
    trading: '리밸런싱',
    activate: '활성화',
    rank: '#',
    stock: '종목',
    sector: '업종',
    weight: '비중',
    cash: '현금',
    invested: '투자 비중',
    by: '활성화한 사람',
    at: '활성화 시각',
    why: '사유',
    archived: '보관 시각',
    notes: '비고',
    from: '비교 대상',
    alone: '비교할 다른 포트폴리오가 없습니다.',
    untraded: '초안은 매매되지 않습니다. 활성화하면 다음 리밸런싱에서 이 비중으로 맞춥니다.',
    active: '적용 중',
  },
);

type Part = 'names' | 'compare' | 'trading';

/** One portfolio. A draft can be put in force from here, with what that changes before the eyes. */
export function PortfolioDetail({ portfolio, active, others }: { portfolio: Portfolio; active: Portfolio | null; others: readonly Portfolio[] }) {
  const text = useText(TEXT);
  const [part, setPart] = useState<Part>('names');
  const [isAsking, setAsking] = useState(false);
  const candidates = others.filter((other) => other.portfolio_id !== portfolio.portfolio_id);
  const before = candidates.find((other) => other.portfolio_id === active?.portfolio_id) ?? candidates.find((other) => other.as_of < portfolio.as_of) ?? candidates[0];
  const [fromId, setFromId] = useState<string | null>(null);
  const from = candidates.find((other) => other.portfolio_id === fromId) ?? before;
  const isDraft = portfolio.status === 'DRAFT';
  const most = Math.max(...portfolio.holdings.map(({ weight }) => weight), 0.01);
  const columns = useMemo<Column<Portfolio['holdings'][number]>[]>(
    () => [
      { id: 'rank', title: text.rank, width: '44px', align: 'right', sort: (row) => row.rank, cell: (row) => row.rank },
      { id: 'stock', title: text.stock, width: 'minmax(130px, 2fr)', sort: (row) => row.name ?? row.symbol, cell: (row) => <Stock name={row.name ?? null} symbol={row.symbol} /> },
      { id: 'sector', title: text.sector, width: 'minmax(80px, 1fr)', isSecondary: true, sort: (row) => row.sector, cell: (row) => row.sector ?? '–' },
      { id: 'weight', title: text.weight, width: 'minmax(130px, 1.6fr)', align: 'right', sort: (row) => row.weight, cell: (row) => <WeightBar weight={row.weight} most={most} /> },
    ],
    [text, most],
  );
  const facts: (readonly [string, ReactNode])[] = [
    [text.invested, <Ratio key="invested" value={portfolio.total_weight} />],
    [text.cash, <Ratio key="cash" value={1 - portfolio.total_weight} />],
    ...(portfolio.activated_by == null ? [] : [[text.by, portfolio.activated_by] as const, [text.at, <Time key="at" at={portfolio.activated_ts} />] as const]),
    ...(portfolio.activation_reason == null ? [] : [[text.why, portfolio.activation_reason] as const]),
    ...(portfolio.archived_ts == null ? [] : [[text.archived, <Time key="archived" at={portfolio.archived_ts} />] as const]),
    ...(portfolio.notes == null ? [] : [[text.notes, portfolio.notes] as const]),
  ];
  return (
    <Panel
      title={text.title}
      count={portfolio.as_of}
      actions={
        <>
          <Tag>{portfolio.status}</Tag>
          <Choice
            label={text.parts}
            at={part}
            onChange={setPart}
            options={[
              { value: 'names', label: text.names },
              { value: 'compare', label: text.compare },
              { value: 'trading', label: text.trading },
            ]}
          />
          {isDraft && (
            <Button kind="primary" size="small" needs="TRADER" onClick={() => setAsking(true)} data-testid="activate">
              {text.activate}
            </Button>
          )}
        </>
      }
      isFlush
    >
      {part === 'names' && (
        <>
          <div className={css.facts}>
            <Facts facts={facts} />
          </div>
          <DataTable label={text.names} columns={columns} rows={portfolio.holdings} keyOf={(row) => row.symbol} height="min(52vh, 500px)" />
        </>
      )}
      {part === 'compare' &&
        (from === undefined ? (
          <p className={css.none}>{text.alone}</p>
        ) : (
          <div className={css.compare}>
            <Select
              label={text.from}
              isInline
              value={from.portfolio_id}
              onChange={(event) => setFromId(event.target.value)}
              options={candidates.map((other) => ({ value: other.portfolio_id, label: `${other.as_of} · ${other.status === 'ACTIVE' ? text.active : other.status.toLowerCase()}` }))}
            />
            <Difference fromId={from.portfolio_id} toId={portfolio.portfolio_id} />
          </div>
        ))}
      {part === 'trading' && (isDraft ? <p className={css.none}>{text.untraded}</p> : <Trading portfolioId={portfolio.portfolio_id} />)}
      <ActivateDialog portfolio={portfolio} active={active} isOpen={isAsking} onClose={() => setAsking(false)} />
    </Panel>
  );
}
