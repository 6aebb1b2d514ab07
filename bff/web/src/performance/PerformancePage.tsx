'use client';

import dynamic from 'next/dynamic';
import { Suspense } from 'react';
import { z } from 'zod';

import { zPerformanceDay } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { NAV_TEXT } from '../shell/nav';
import { useAddress } from '../shell/address';
import { texts, useText } from '../text/text';
import { Choice, Tabs } from '../ui/form';
import { Page, Split } from '../ui/layout';
import { FaultNote, Panel } from '../ui/Panel';
import { AttributionPanel } from './AttributionPanel';
import { DaysPanel } from './DaysPanel';
import { Figures } from './Figures';
import { FlowsPanel } from './FlowsPanel';
import { PERFORMANCE_TABLES, PERIODS, queryOf, SLOW_MS, useFigures, type Scope } from './performance';
import { TradesPanel } from './TradesPanel';
import css from './PerformancePage.module.css';

// What draws charts comes after the page.
const DailyPanel = dynamic(() => import('./DailyPanel').then((panel) => panel.DailyPanel), { ssr: false });
const ReturnPanel = dynamic(() => import('./ReturnPanel').then((panel) => panel.ReturnPanel), { ssr: false });

const TEXT = texts(
  {
    period: 'Period',
    ALL: 'All',
    account: 'Account',
    figures: 'Figures',
    parts: 'In detail',
    trades: 'Closed trades',
    days: 'Days',
    flows: 'Cash flows',
    attribution: 'Attribution',
    nobody: 'No equity told yet, and nothing was closed. Figures begin with the second session after the engine has reached the broker.',
  },
  {
    period: '기간',
    ALL: '전체',
    account: '계좌',
    figures: '지표',
    parts: '상세',
    trades: '청산 거래',
    days: '일별',
    flows: '입출금',
    attribution: '손익 귀속',
    nobody: '아직 기록된 자산도 청산된 포지션도 없습니다. 증권사와 연결된 뒤 두 번째 거래일부터 지표가 표시됩니다.',
  },
);

const PARTS = ['attribution', 'trades', 'days', 'flows'] as const;

/** What the account has earned. `?period=`, `account` and `tab` lead to a part. */
function Performance() {
  const text = useText(TEXT);
  const pages = useText(NAV_TEXT);
  const { get: read, set: write } = useAddress();
  const scope: Scope = { period: PERIODS.find((period) => period === read('period')) ?? '3M', account: read('account') };
  const part = PARTS.find((id) => id === read('tab')) ?? 'attribution';
  const figures = useFigures(scope);
  const days = useRead(`/api/v1/performance/daily?${queryOf(scope)}`, z.array(zPerformanceDay), { tables: PERFORMANCE_TABLES, everyMs: SLOW_MS });
  const shown = figures.data;
  const account = scope.account ?? shown?.account_id ?? null;
  const isNobody = shown !== undefined && shown.account_id == null;
  return (
    <Page
      title={pages.performance}
      actions={
        <>
          {account !== null && (
            <span className={css.account}>
              {text.account} <b data-testid="account">{account}</b>
            </span>
          )}
          <Choice label={text.period} at={scope.period} onChange={(period) => write({ period })} options={PERIODS.map((value) => ({ value, label: value === 'ALL' ? text.ALL : value }))} />
        </>
      }
    >
      {shown === undefined || isNobody ? (
        <Panel title={text.figures} fault={figures.fault} onRetry={figures.retry} isLoading={figures.isLoading} empty={isNobody ? text.nobody : null} />
      ) : (
        <>
          {figures.fault !== null && <FaultNote fault={figures.fault} onRetry={figures.retry} />}
          <Figures figures={shown} />
          {days.fault !== null && <FaultNote fault={days.fault} onRetry={days.retry} />}
          <Split columns="minmax(0, 1.6fr) minmax(0, 1fr)">
            <ReturnPanel days={days.data ?? []} figures={shown} />
            <DailyPanel days={days.data ?? []} />
          </Split>
          <Tabs label={text.parts} at={part} onChange={(id) => write({ tab: id })} tabs={PARTS.map((id) => ({ id, title: text[id] }))}>
            {part === 'attribution' && <AttributionPanel scope={scope} />}
            {part === 'trades' && <TradesPanel scope={scope} />}
            {part === 'days' && <DaysPanel days={days.data ?? []} />}
            {part === 'flows' && <FlowsPanel account={account} />}
          </Tabs>
        </>
      )}
    </Page>
  );
}

export function PerformancePage() {
  return (
    <Suspense>
      <Performance />
    </Suspense>
  );
}
