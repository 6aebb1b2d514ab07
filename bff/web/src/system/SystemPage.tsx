'use client';

import { Suspense } from 'react';

import { useTopic } from '../live/provider';
import { NAV_TEXT } from '../shell/nav';
import { useAddress } from '../shell/address';
import { texts, useText } from '../text/text';
import { Tabs } from '../ui/form';
import { Page } from '../ui/layout';
import { Alarms } from './Alarms';
import { Audit } from './Audit';
import { Invariants } from './Invariants';
import { Jobs } from './Jobs';
import { Logs } from './Logs';
import { Overview } from './Overview';
import { Settings } from './Settings';
import { Sources } from './Sources';

const TEXT = texts(
  {
    label: 'Parts of the system',
    health: 'Health',
    prices: 'Prices',
    alarms: 'Alarms',
    invariants: 'Invariants',
    jobs: 'Jobs',
    logs: 'Logs',
    audit: 'Audit',
    settings: 'Settings',
  },
  {
    label: '시스템 구성',
    health: '상태',
    prices: '시세',
    alarms: '경보',
    invariants: '불변식',
    jobs: '작업',
    logs: '로그',
    audit: '감사',
    settings: '설정',
  },
);

const TABS = ['health', 'prices', 'alarms', 'invariants', 'jobs', 'logs', 'audit', 'settings'] as const;

type TabId = (typeof TABS)[number];

const CONTENT: Record<TabId, () => React.ReactNode> = {
  health: Overview,
  prices: Sources,
  alarms: Alarms,
  invariants: Invariants,
  jobs: Jobs,
  logs: Logs,
  audit: Audit,
  settings: Settings,
};

function Tabbed() {
  const text = useText(TEXT);
  const { get, set } = useAddress();
  const standing = useTopic('alarms').rows.filter(({ cleared_ts }) => cleared_ts == null).length;
  const at = TABS.find((tab) => tab === get('tab')) ?? 'health';
  const Content = CONTENT[at];
  return (
    <Tabs
      label={text.label}
      at={at}
      tabs={TABS.map((id) => ({ id, title: id === 'alarms' && standing > 0 ? `${text[id]} (${standing})` : text[id] }))}
      onChange={(tab) => set({ tab: tab === 'health' ? '' : tab })}
    >
      <Content />
    </Tabs>
  );
}

/** How the system is: its parts, prices, alarms, invariants, jobs, logs, audit and settings. */
export function SystemPage() {
  const nav = useText(NAV_TEXT);
  return (
    <Page title={nav.system}>
      <Suspense>
        <Tabbed />
      </Suspense>
    </Page>
  );
}
