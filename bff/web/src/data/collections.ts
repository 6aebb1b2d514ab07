/** What is collected of the market, by which jobs, and how far it goes. */

import { z } from 'zod';

import { zSeoulTime } from '../api/generated/zod.gen';
import { microsOf } from '../live/instant';
import { texts } from '../text/text';

/** What is stored of one collection. */
export const zCollection = z.object({
  collection: z.string(),
  rows: z.number(),
  is_estimate: z.boolean().nullish(),
  symbols: z.number().nullish(),
  first_day: z.string().nullish(),
  last_day: z.string().nullish(),
  updated_ts: zSeoulTime.nullish(),
});

export type Collection = z.infer<typeof zCollection>;

/** A day on which a stock has no bar though it has some before and after. */
export const zGap = z.object({ symbol: z.string(), name: z.string(), day: z.string() });

export type Gap = z.infer<typeof zGap>;

/** The newest value of a metric. */
export const zMetric = z.object({
  name: z.string(),
  labels: z.record(z.string(), z.unknown()),
  value: z.number(),
  ts: z.string(),
});

export const COLLECTION_TEXT = texts(
  {
    daily_bars: 'Daily bars',
    minute_bars: 'Minute bars',
    prices: 'Prices',
    investor_flows: 'Investor flows',
    fundamentals: 'Fundamentals',
    disclosures: 'Disclosures',
    stocks: 'Stocks',
    calendar: 'Calendar',
    stock_rankings: 'Popular lists',
  },
  {
    daily_bars: '일봉',
    minute_bars: '분봉',
    prices: '체결가',
    investor_flows: '투자자 수급',
    fundamentals: '재무지표',
    disclosures: '공시',
    stocks: '종목 마스터',
    calendar: '거래일 달력',
    stock_rankings: '인기 목록',
  },
);

/** Jobs that are shown even before their first run, in the order of a day. */
export const JOBS = ['configured days', 'calendar', 'stocks', 'stocks followed', 'universe', 'rebalance', 'fundamentals', 'strategy', 'replay'] as const;

export const JOB_TEXT = texts(
  {
    'configured days': 'Days of the configuration, after each start',
    calendar: 'Days of the exchange, asked of the broker',
    stocks: 'State of listings: halted, under administration, NXT',
    'stocks followed': 'The same of symbols that came to be followed',
    universe: 'Universe of the morning',
    rebalance: 'Trades of the portfolio in force',
    fundamentals: 'PER, PBR, EPS, BPS, sector, caution',
    strategy: 'Signals, rankings and portfolio of a day',
    replay: 'The day before, decided again and compared',
  },
  {
    'configured days': '시작 시 설정의 휴장일 반영',
    calendar: '증권사에서 거래일 조회',
    stocks: '종목 상태: 거래정지·관리종목·NXT',
    'stocks followed': '새로 추적하는 종목의 상태',
    universe: '장전 유니버스',
    rebalance: '활성 포트폴리오 매매',
    fundamentals: 'PER·PBR·EPS·BPS·업종·경보',
    strategy: '당일 신호·순위·포트폴리오',
    replay: '전일 결정 재현·대조',
  },
);

/** Returns how long a run took: `0.2 s`, `1 m 07 s`, `2 h 05 m`; null while it runs. */
export function tookOf(started: string, ended: string | null | undefined): string | null {
  const [from, to] = [microsOf(started), microsOf(ended)];
  if (from === null || to === null || to < from) return null;
  const tenths = Number((to - from) / 100_000n);
  const seconds = Math.floor(tenths / 10);
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 60) return `${(tenths / 10).toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} m`;
}
