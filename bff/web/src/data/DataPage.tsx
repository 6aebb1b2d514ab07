'use client';

import { Suspense, useCallback } from 'react';
import { z } from 'zod';

import { zJobRun } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { UNKNOWN } from '../money/format';
import { NAV_TEXT } from '../shell/nav';
import { useAddress } from '../shell/address';
import { texts, useText } from '../text/text';
import { Count, Time } from '../ui/figures';
import { Page, Split, Stat, Stats } from '../ui/layout';
import { ArchivesPanel } from './ArchivesPanel';
import { CalendarPanel } from './CalendarPanel';
import { zCollection, zGap } from './collections';
import { CoveragePanel, GapsPanel } from './Coverage';
import css from './data.module.css';
import { EVERY_MS, JobsPanel } from './JobsPanel';
import { RunsPanel } from './RunsPanel';

const TEXT = texts(
  { stocks: 'Stocks', bars: 'Daily bars to', prices: 'Last price', gaps: 'Missing bars', failed: 'Failed runs', failedNote: 'of the last 100', running: 'Running' },
  { stocks: '종목', bars: '일봉 기준일', prices: '최근 체결가', gaps: '누락 일봉', failed: '실패한 실행', failedNote: '최근 100회 중', running: '실행 중' },
);

/** How often coverage is asked for: it counts. */
const COVERAGE_MS = 15_000;

/** What is collected of the market: by which jobs, how far it goes, and where it has gaps. */
export function DataPage() {
  return (
    <Suspense>
      <Data />
    </Suspense>
  );
}

function Data() {
  const names = useText(NAV_TEXT);
  const text = useText(TEXT);
  const address = useAddress();
  const job = address.get('job');
  const choose = useCallback((chosen: string | null) => address.set({ job: chosen }), [address]);
  const coverage = useRead('/api/v1/data/coverage', z.array(zCollection), { everyMs: COVERAGE_MS });
  const gaps = useRead('/api/v1/data/gaps?limit=1000', z.array(zGap), { everyMs: COVERAGE_MS });
  const runs = useRead('/api/v1/jobs?limit=100', z.array(zJobRun), { everyMs: EVERY_MS });
  const of = (name: string) => coverage.data?.find(({ collection }) => collection === name);
  const count = (status: string) => runs.data?.filter((run) => run.status === status).length;
  return (
    <Page title={names.data}>
      <Stats>
        <Stat name={text.stocks} testId="data-stocks">
          <Count value={of('stocks')?.rows} />
        </Stat>
        <Stat name={text.bars}>{of('daily_bars')?.last_day ?? UNKNOWN}</Stat>
        <Stat name={text.prices}>
          <Time at={of('prices')?.updated_ts} />
        </Stat>
        <Stat name={text.gaps} testId="data-gaps">
          <Count value={gaps.data?.length} />
        </Stat>
        <Stat name={text.failed} note={text.failedNote} testId="data-failed">
          <Count value={count('FAILED')} />
        </Stat>
        <Stat name={text.running}>
          <Count value={count('RUNNING')} />
        </Stat>
      </Stats>
      <Split columns="minmax(0, 1.06fr) minmax(0, 1fr)">
        <div className={css.stack}>
          <JobsPanel chosen={job} onChoose={choose} />
          <RunsPanel job={job} onAll={() => choose(null)} />
        </div>
        <div className={css.stack}>
          <CoveragePanel read={coverage} />
          <CalendarPanel month={address.get('month')} onMonth={(month) => address.set({ month })} />
          <GapsPanel read={gaps} />
          <ArchivesPanel />
        </div>
      </Split>
    </Page>
  );
}
