'use client';

import { Suspense, useCallback, useState } from 'react';

import { NAV_TEXT } from '../shell/nav';
import { texts, useText } from '../text/text';
import { Select, Tabs } from '../ui/form';
import { Page } from '../ui/layout';
import { Panel } from '../ui/Panel';
import { PicksTab } from './PicksTab';
import { PortfolioTab } from './PortfolioTab';
import { useAddress } from '../shell/address';
import { RankingTab } from './RankingTab';
import { RunNow, type AskedRun } from './RunNow';
import { RunProgress } from './RunProgress';
import { useRuns } from './runs';
import { RunsPanel } from './RunsPanel';
import { RunStages } from './RunStages';
import { SignalsTab } from './SignalsTab';
import { UniverseTab } from './UniverseTab';

const TEXT = texts(
  { parts: 'Parts of the strategy', strategy: 'Strategy', runs: 'Runs', universe: 'Universe', signals: 'Signals', ranking: 'Ranking', portfolio: 'Portfolio', picks: 'Picks' },
  { parts: '전략 구성', strategy: '전략', runs: '실행', universe: '유니버스', signals: '시그널', ranking: '랭킹', portfolio: '포트폴리오', picks: '추천' },
);

const TABS = ['signals', 'ranking', 'portfolio', 'universe', 'runs', 'picks'] as const;
type Tab = (typeof TABS)[number];

/** The strategy from its run to its portfolio. `?tab=`, `strategy`, `run`, `symbol` and `portfolio` lead to a part. */
function Strategy() {
  const text = useText(TEXT);
  const pages = useText(NAV_TEXT);
  const { get: read, set: write } = useAddress();
  const [asked, setAsked] = useState<AskedRun | null>(null);
  const [isUnderWay, setUnderWay] = useState(false);
  const runs = useRuns(read('strategy'), isUnderWay);
  const over = useCallback(() => setUnderWay(false), []);
  const tab: Tab = TABS.find((id) => id === read('tab')) ?? 'signals';
  const run = runs.rows.find((row) => row.run_id === read('run')) ?? runs.rows[0];
  const strategy = runs.strategy ?? '';
  const symbol = read('symbol');
  const onSymbol = (next: string) => write({ symbol: next });
  return (
    <Page
      title={pages.strategy}
      actions={
        <>
          {runs.strategies.length > 1 && (
            <Select
              label={text.strategy}
              isInline
              value={strategy}
              onChange={(event) => write({ strategy: event.target.value, run: null, symbol: null, portfolio: null })}
              options={runs.strategies.map((id) => ({ value: id, label: id }))}
            />
          )}
          <RunNow
            isUnderWay={isUnderWay}
            onAsked={(request) => {
              setAsked(request);
              setUnderWay(true);
            }}
          />
        </>
      }
    >
      {asked !== null && <RunProgress asked={asked} run={runs.rows[0]} onOver={over} onDismiss={() => setAsked(null)} />}
      {run !== undefined && <RunStages run={run} />}
      {runs.pages.data === undefined ? (
        <Panel title={text.runs} fault={runs.pages.fault} onRetry={runs.pages.retry} isLoading={runs.pages.isLoading} />
      ) : (
        <Tabs label={text.parts} at={tab} onChange={(id) => write({ tab: id })} tabs={TABS.map((id) => ({ id, title: text[id] }))}>
          {tab === 'signals' && <SignalsTab strategy={strategy} isThere={runs.has('signal_snapshot_id')} symbol={symbol} onSymbol={onSymbol} />}
          {tab === 'ranking' && <RankingTab strategy={strategy} isThere={runs.has('ranking_snapshot_id')} symbol={symbol} onSymbol={onSymbol} />}
          {tab === 'portfolio' && <PortfolioTab strategy={strategy} openId={read('portfolio')} onOpen={(id) => write({ portfolio: id })} />}
          {tab === 'universe' && <UniverseTab strategy={strategy} isThere={runs.has('universe_snapshot_id')} />}
          {tab === 'runs' && <RunsPanel runs={runs} openId={run?.run_id ?? null} onOpen={(row) => write({ run: row.run_id })} />}
          {tab === 'picks' && <PicksTab />}
        </Tabs>
      )}
    </Page>
  );
}

export function StrategyPage() {
  return (
    <Suspense>
      <Strategy />
    </Suspense>
  );
}
