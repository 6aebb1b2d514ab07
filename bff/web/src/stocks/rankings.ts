/** Stocks as the market ranks them. */

import { z } from 'zod';

import { texts } from '../text/text';

export const CATEGORIES = [
  'trading_value',
  'volume',
  'gainers',
  'losers',
  'market_cap',
  'foreign_net_buy',
  'institution_net_buy',
  'high_52week',
  'popular',
] as const;

export type Category = (typeof CATEGORIES)[number];

export const CATEGORY_TEXT = texts(
  {
    trading_value: 'Value',
    volume: 'Volume',
    gainers: 'Gainers',
    losers: 'Losers',
    market_cap: 'Market cap',
    foreign_net_buy: 'Foreign buying',
    institution_net_buy: 'Institutions',
    high_52week: '52-week high',
    popular: 'Popular',
  },
  {
    trading_value: '거래대금',
    volume: '거래량',
    gainers: '상승률',
    losers: '하락률',
    market_cap: '시가총액',
    foreign_net_buy: '외국인 순매수',
    institution_net_buy: '기관 순매수',
    high_52week: '52주 신고가',
    popular: '인기',
  },
);

export const zRanked = z.object({
  rank: z.number(),
  symbol: z.string(),
  name: z.string().nullish(),
  market: z.string().nullish(),
  price: z.number().nullish(),
  change_rate: z.number().nullish(),
  volume: z.number().nullish(),
  trading_value: z.number().nullish(),
  /** What is ranked. */
  value: z.number().nullish(),
});

export type Ranked = z.infer<typeof zRanked>;

export const zMarketRanking = z.object({
  category: z.string(),
  market: z.string(),
  as_of: z.string().nullish(),
  stocks: z.array(zRanked),
});
