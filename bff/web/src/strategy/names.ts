/** Words of the strategy, and what of the API belongs to it. */

import { texts } from '../text/text';

export const RUNS_PATH = '/api/v1/strategy/runs';
export const PORTFOLIOS_PATH = '/api/v1/portfolios';

/** Tables from which a run and all that comes of it are read. */
export const STRATEGY_TABLES = ['strategy.runs', 'strategy.portfolios', 'strategy.ranked'];

/** How often a run under way is looked at, and everything else; the change feed does not tell of it. */
export const BUSY_MS = 700;
export const CALM_MS = 10_000;

/** Stages of a run, in their order. */
export const STAGES = ['LOAD', 'FEED', 'UNIVERSE', 'FACTORS', 'SIGNALS', 'RANKINGS', 'PORTFOLIO', 'STORE'] as const;

export const FACTORS = ['momentum', 'technical', 'value', 'quality', 'flow', 'event'] as const;
export type FactorName = (typeof FACTORS)[number];

export const FACTOR_TEXT = texts(
  { momentum: 'Momentum', technical: 'Technical', value: 'Value', quality: 'Quality', flow: 'Flow', event: 'Event' },
  { momentum: '모멘텀', technical: '기술적', value: '가치', quality: '퀄리티', flow: '수급', event: '이벤트' },
);

export const STAGE_TEXT = texts(
  {
    LOAD: 'Load',
    FEED: 'Feed',
    UNIVERSE: 'Universe',
    FACTORS: 'Factors',
    SIGNALS: 'Signals',
    RANKINGS: 'Ranking',
    PORTFOLIO: 'Portfolio',
    STORE: 'Store',
  },
  {
    LOAD: '적재',
    FEED: '투입',
    UNIVERSE: '유니버스',
    FACTORS: '팩터',
    SIGNALS: '시그널',
    RANKINGS: '랭킹',
    PORTFOLIO: '포트폴리오',
    STORE: '저장',
  },
);

/** Why a listing is kept out, why a name is not selected, why a name is not traded. */
export const REASON_TEXT = texts(
  {
    MARKET: 'Market not traded',
    INSTRUMENT: 'ETF, ETN or other instrument',
    NAME: 'Special purpose company',
    STATUS: 'Not active',
    MANAGED: 'Managed issue',
    CAUTION: 'Under caution',
    HALTED: 'Halted',
    MARKET_CAP: 'Market cap too small',
    VALUE: 'Traded value too small',
    VOLUME: 'Volume too small',
    VOLATILITY: 'Too volatile',
    SCORE: 'Score too low',
    COUNT: 'Beyond the number of names',
    UNDER_WAY: 'An order is under way',
    ACTIVE_EXIT: 'An exit is active',
    EXIT_MODE: 'Exits are disabled for it',
    NO_PRICE: 'No price',
    SMALL_WEIGHT: 'Change of weight too small',
    SMALL_ORDER: 'Order too small',
    NOTHING_SELLABLE: 'Nothing to sell',
    CASH: 'Cash is short',
    TURNOVER: 'Beyond the turnover of a day',
    REDUCED: 'Fewer than aimed at: cash is short',
    WITHDRAWN: 'Withdrawn',
  },
  {
    MARKET: '거래 대상 시장 아님',
    INSTRUMENT: 'ETF·ETN 등',
    NAME: '스팩',
    STATUS: '거래 상태 아님',
    MANAGED: '관리종목',
    CAUTION: '투자주의',
    HALTED: '거래정지',
    MARKET_CAP: '시가총액 미달',
    VALUE: '거래대금 미달',
    VOLUME: '거래량 미달',
    VOLATILITY: '변동성 초과',
    SCORE: '점수 미달',
    COUNT: '종목 수 초과',
    UNDER_WAY: '주문 진행 중',
    ACTIVE_EXIT: '청산 진행 중',
    EXIT_MODE: '청산 비활성 종목',
    NO_PRICE: '가격 없음',
    SMALL_WEIGHT: '비중 변화 미미',
    SMALL_ORDER: '주문 금액 미달',
    NOTHING_SELLABLE: '매도 가능 수량 없음',
    CASH: '현금 부족',
    TURNOVER: '일 회전율 한도 초과',
    REDUCED: '현금 부족으로 축소',
    WITHDRAWN: '철회됨',
  },
);

export const TIER_TEXT = texts(
  {
    HOLDING: 'Holding',
    WATCHLIST: 'Watchlist',
    RANKING: 'Ranking list',
    LISTED: 'Listed',
    VOLUME_SURGE: 'volume surge',
    VALUE: 'traded value',
    GAINERS: 'gainers',
    POPULAR: 'popular',
    MARKET_CAP: 'market cap',
  },
  {
    HOLDING: '보유',
    WATCHLIST: '관심',
    RANKING: '순위권',
    LISTED: '상장',
    VOLUME_SURGE: '거래량 급증',
    VALUE: '거래대금',
    GAINERS: '상승률',
    POPULAR: '인기',
    MARKET_CAP: '시가총액',
  },
);

/** The word for `key`, or the key itself where a later server has one of its own. */
export function wordOf(words: Record<string, string>, key: string): string {
  return words[key] ?? key.replaceAll('_', ' ').toLowerCase();
}

/** Milliseconds as they read: `412 ms`, `1.9 s`. */
export function formatMillis(millis: number): string {
  return millis < 1_000 ? `${Math.round(millis)} ms` : `${(millis / 1_000).toFixed(1)} s`;
}

/** A figure without a unit: `72.5`, `−0.34`. */
export function formatScore(value: number | null | undefined, places = 1): string {
  return value == null ? '–' : value.toFixed(places).replace('-', '−');
}

/** The number that an open object of the API has under `key`. */
export function countOf(counts: Record<string, unknown>, key: string): number | null {
  const value = counts[key];
  return typeof value === 'number' ? value : null;
}
