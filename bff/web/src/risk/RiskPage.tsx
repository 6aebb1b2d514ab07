'use client';

import { zRiskLimits, zRiskReport } from '../api/generated/zod.gen';
import { useRead } from '../api/hooks';
import { NAV_TEXT } from '../shell/nav';
import { texts, useText } from '../text/text';
import { Count } from '../ui/figures';
import { Page, Split, Stat, Stats } from '../ui/layout';
import { LimitsPanel } from './LimitsPanel';
import { ReportPanel } from './ReportPanel';
import { Share } from './Share';
import { StopPanel } from './StopPanel';
import { Violations } from './Violations';
import { Weights } from './Weights';
import { LIMITS_PATH, LIMITS_TABLES, LOOK_EVERY_MS, REPORT_PATH, STOP_TABLES } from './risk';
import { RISK_TEXT, said } from './words';
import css from './risk.module.css';

const TEXT = texts(
  {
    level: 'Level',
    levelNote: 'by the limit that is used most',
    highest: 'Highest usage',
    daily: 'Left today',
    monthly: 'Left this month',
    lossNote: 'of the loss allowed',
    positions: 'Positions',
    positionsNote: (most: string) => `of at most ${most}`,
    sectors: 'Sectors',
    markets: 'Markets',
  },
  {
    level: '위험 수준',
    levelNote: '가장 많이 사용된 한도 기준',
    highest: '최고 사용률',
    daily: '당일 여유',
    monthly: '당월 여유',
    lossNote: '허용 손실 대비',
    positions: '보유 종목',
    positionsNote: (most: string) => `최대 ${most}`,
    sectors: '섹터 비중',
    markets: '시장 비중',
  },
);

/** The account beside its limits: the emergency stop, usage, the newest report, refused entries. */
export function RiskPage() {
  const nav = useText(NAV_TEXT);
  const text = useText(TEXT);
  const words = useText(RISK_TEXT);
  const limits = useRead(LIMITS_PATH, zRiskLimits, { tables: LIMITS_TABLES });
  const report = useRead(REPORT_PATH, zRiskReport, { tables: [...STOP_TABLES, ...LIMITS_TABLES], everyMs: LOOK_EVERY_MS });
  const { data } = report;
  const figures = limits.data?.limits ?? null;
  return (
    <Page title={nav.risk}>
      <StopPanel />
      <Stats>
        <Stat name={text.level} note={text.levelNote} testId="level">
          <span className={css.level} data-level={data?.level}>
            {data === undefined ? '–' : said(words, data.level)}
          </span>
        </Stat>
        <Stat name={text.highest} testId="highest-usage">
          <Share value={data?.highest_usage} />
        </Stat>
        <Stat name={text.positions} note={figures === null ? '' : text.positionsNote(String(figures.positions_max))} testId="positions">
          <Count value={data?.positions} />
        </Stat>
        <Stat name={text.daily} note={text.lossNote} testId="daily-buffer">
          <Share value={data?.daily_buffer_pct} />
        </Stat>
        <Stat name={text.monthly} note={text.lossNote} testId="monthly-buffer">
          <Share value={data?.total_buffer_pct} />
        </Stat>
      </Stats>
      <Split columns="minmax(0, 3fr) minmax(0, 2fr)">
        <LimitsPanel limits={limits} report={data} />
        <ReportPanel report={report} />
      </Split>
      <Split columns="minmax(0, 3fr) minmax(0, 2fr)">
        <Weights title={text.sectors} weights={data?.sector_weights} limit={figures?.sector_max_pct ?? null} />
        <Weights title={text.markets} weights={data?.market_weights} limit={figures?.market_max_pct ?? null} />
      </Split>
      <Violations />
    </Page>
  );
}
