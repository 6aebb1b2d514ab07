'use client';

import { Suspense } from 'react';

import { useTopic } from '../live/provider';
import { useParams } from '../shell/address';
import { texts, useText } from '../text/text';
import { Tabs } from '../ui/form';
import { Page, Stat, Stats } from '../ui/layout';
import { Tag } from '../ui/Tag';
import { Blacklist } from './Blacklist';
import { Candidates } from './Candidates';
import { ControlTab } from './ControlTab';
import { ExitEvents } from './ExitEvents';
import { MODES, MODE_TEXT, REGIME_TEXT, regimeInForce, REGIMES, useReentryControl, useRegime } from './reentry';
import { TEXT as PAGE_TEXT } from './text';
import { Verdicts } from './Verdicts';
import { Windows } from './Windows';

const TEXT = texts(
  { mode: 'Re-entries', regime: 'Regime', COOLDOWN: 'In cooldown', WATCH: 'Watched', READY: 'Being bought', ENTERED: 'Bought back' },
  { mode: '재진입', regime: '시장 국면', COOLDOWN: '쿨다운', WATCH: '감시 중', READY: '매수 중', ENTERED: '재매수 완료' },
);

const TABS = ['exits', 'candidates', 'verdicts', 'control', 'barred'] as const;
const STATES = ['COOLDOWN', 'WATCH', 'READY', 'ENTERED'] as const;

/** How re-entries stand, whatever tab is open. */
function Strip() {
  const text = useText(TEXT);
  const modes = useText(MODE_TEXT);
  const regimes = useText(REGIME_TEXT);
  const control = useReentryControl().data;
  const regime = useRegime().data;
  const candidates = useTopic('candidates').rows;
  const mode = MODES.find((one) => one === control?.mode);
  const inForce = regime === undefined ? null : regimeInForce(regime, Date.now());
  const named = REGIMES.find((one) => one === inForce?.regime);
  return (
    <Stats>
      <Stat name={text.mode}>
        <Tag tone={mode === 'RUNNING' ? 'good' : 'warn'}>{mode === undefined ? control?.mode : modes[mode]}</Tag>
      </Stat>
      <Stat name={text.regime}>
        <Tag tone={inForce?.by === 'nobody' ? 'warn' : 'plain'}>{named === undefined ? inForce?.regime : regimes[named]}</Tag>
      </Stat>
      {STATES.map((state) => (
        <Stat key={state} name={text[state]} testId={`count-${state}`}>
          {candidates.filter((one) => one.state === state).length}
        </Stat>
      ))}
    </Stats>
  );
}

function Exits() {
  const page = useText(PAGE_TEXT);
  const [params, setParams] = useParams(['tab', 'candidate']);
  const at = TABS.find((tab) => tab === params.tab) ?? (params.candidate === null ? 'exits' : 'candidates');
  return (
    <Page title={page.title}>
      <Strip />
      <Tabs
        label={page.title}
        tabs={TABS.map((id) => ({ id, title: page[id] }))}
        at={at}
        onChange={(tab) => setParams({ tab: tab === 'exits' ? null : tab, candidate: null })}
      >
        {at === 'exits' && <ExitEvents />}
        {at === 'candidates' && <Candidates />}
        {at === 'verdicts' && <Verdicts />}
        {at === 'control' && <ControlTab />}
        {at === 'barred' && (
          <>
            <Windows />
            <Blacklist />
          </>
        )}
      </Tabs>
    </Page>
  );
}

/** Positions that were closed, and what may be bought back of them. */
export function ExitsPage() {
  return (
    <Suspense fallback={null}>
      <Exits />
    </Suspense>
  );
}
