'use client';

import { useMemo } from 'react';
import type { z } from 'zod';

import { zPortfolio } from '../api/generated/zod.gen';
import { usePages } from '../api/hooks';
import { texts, useText } from '../text/text';
import { DataTable, type Column } from '../ui/DataTable';
import { Ratio } from '../ui/figures';
import { Split } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { Tag } from '../ui/Tag';
import { CALM_MS, PORTFOLIOS_PATH, STRATEGY_TABLES } from './names';
import { PortfolioDetail } from './PortfolioDetail';

const TEXT = texts(
  {
    title: 'Portfolios',
    day: 'Day',
    status: 'Status',
    names: 'Names',
    weight: 'Invested',
    weightHint: 'Share of equity in names; the rest is cash',
    none: 'There is no portfolio yet. A run makes one as a draft when enough names are selected; it comes into force when somebody activates it.',
  },
  {
    title: '포트폴리오',
    day: '기준일',
    status: '상태',
    names: '종목 수',
    weight: '투자 비중',
    weightHint: '종목에 배정된 비중이며 나머지는 현금',
    none: '아직 포트폴리오가 없습니다. 충분한 종목이 선정되면 실행이 초안을 만들고, 활성화하면 적용됩니다.',
  },
);

export type Portfolio = z.infer<typeof zPortfolio>;

/** Portfolios of the strategy, and the one that is opened: its names, what it changes, how it was traded. */
export function PortfolioTab({ strategy, openId, onOpen }: { strategy: string; openId: string | null; onOpen: (id: string) => void }) {
  const text = useText(TEXT);
  const pages = usePages(PORTFOLIOS_PATH, zPortfolio, { tables: STRATEGY_TABLES, everyMs: CALM_MS });
  const rows = useMemo(() => (pages.data ?? []).filter((row) => row.strategy_id === strategy), [pages.data, strategy]);
  const active = rows.find((row) => row.status === 'ACTIVE') ?? null;
  const open = rows.find((row) => row.portfolio_id === openId) ?? rows.find((row) => row.status === 'DRAFT') ?? active ?? rows[0];
  const columns = useMemo<Column<Portfolio>[]>(
    () => [
      { id: 'day', title: text.day, width: '104px', sort: (row) => row.as_of, cell: (row) => row.as_of },
      { id: 'status', title: text.status, width: '86px', sort: (row) => row.status, cell: (row) => <Tag>{row.status}</Tag> },
      { id: 'names', title: text.names, width: '60px', align: 'right', sort: (row) => row.holdings.length, cell: (row) => row.holdings.length },
      { id: 'weight', title: text.weight, hint: text.weightHint, width: 'minmax(74px, 1fr)', align: 'right', sort: (row) => row.total_weight, cell: (row) => <Ratio value={row.total_weight} /> },
    ],
    [text],
  );
  return (
    <Split columns="minmax(320px, 0.6fr) minmax(0, 1.9fr)">
      <Panel
        title={text.title}
        count={rows.length === 0 ? null : rows.length}
        fault={pages.fault}
        onRetry={pages.retry}
        isLoading={pages.isLoading}
        empty={pages.data !== undefined && rows.length === 0 ? text.none : null}
        isFlush
      >
        <DataTable
          label={text.title}
          columns={columns}
          rows={rows}
          keyOf={(row) => row.portfolio_id}
          onOpen={(row) => onOpen(row.portfolio_id)}
          openKey={open?.portfolio_id ?? null}
          height="min(64vh, 600px)"
          isLoadingMore={pages.isLoadingMore}
          {...(pages.hasMore ? { onEnd: pages.more } : {})}
        />
      </Panel>
      {open !== undefined && <PortfolioDetail key={open.portfolio_id} portfolio={open} active={active} others={rows} />}
    </Split>
  );
}
