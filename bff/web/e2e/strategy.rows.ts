/** Rows of a strategy of two days: the portfolio of the first is in force, that of the second a draft. */

/** Symbols by strength, each with its sector. */
const LISTED: readonly (readonly [string, string | null])[] = [
  ['005930', '반도체'],
  ['000660', '반도체'],
  ['005380', '자동차'],
  ['035420', '인터넷'],
  ['068270', '바이오'],
  ['105560', '금융'],
  ['055550', '금융'],
  ['012450', '방산'],
  ['034020', '기계'],
  ['207940', '바이오'],
  ['373220', '2차전지'],
  ['000270', '자동차'],
  ['196170', '바이오'],
  ['247540', '2차전지'],
  ['028260', null],
  ['329180', '조선'],
];

const NAMES_OF_FIRST = 8;

/** What the rows belong to. */
export interface Made {
  strategy: string;
  /** The two days, such as 2026-02-19. */
  days: readonly [string, string];
  /** When they were made. */
  createdTs: string;
}

/** The identity that `part` of a strategy's day `n` has. */
export function idOf({ strategy }: Made, part: string, n: number): string {
  return `overlay(overlay(md5('${strategy}/${part}/${n}') placing '4' from 13) placing '8' from 17)::uuid`;
}

/** Statements that insert the rows once. */
export function rowsOf(made: Made): string {
  const { strategy, days, createdTs } = made;
  const ids = (part: string) => [idOf(made, part, 1), idOf(made, part, 2)] as const;
  const [runs, universes, signals, rankings, portfolios] = [ids('run'), ids('universe'), ids('signals'), ids('rankings'), ids('portfolio')];
  const both = (row: (n: 0 | 1) => string) => `${row(0)}, ${row(1)}`;
  const listed = LISTED.map(([symbol, sector], n) => `(${n + 1}, '${symbol}', ${sector === null ? 'NULL' : `'${sector}'`})`).join(', ');
  const holding = (place: number, weight: number) => {
    const [symbol, sector] = LISTED[place] ?? ['', null];
    return JSON.stringify({ rank: place + 1, symbol, sector, weight });
  };
  const placesOf = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);
  const first = placesOf(0, NAMES_OF_FIRST).map((place) => holding(place, 100_000));
  const second = placesOf(2, NAMES_OF_FIRST + 4).map((place, n) => holding(place, n < 4 ? 100_000 : 65_000));
  const totals = [800_000, 790_000];
  const holdings = [first, second];
  return `
BEGIN;
INSERT INTO strategy.runs (run_id, strategy_id, as_of, trigger, asked_by, state, stage, reason, input_digest, durations, counts,
    created_ts, ended_ts)
VALUES ${both((n) => `(${runs[n]}, '${strategy}', '${days[n]}', 'SCHEDULE', 'scheduler', 'DONE', 'STORE', NULL, '${strategy}${n}',
    '{"LOAD": 412, "FEED": 88, "UNIVERSE": 31, "FACTORS": 264, "SIGNALS": 12, "RANKINGS": 9, "PORTFOLIO": 3, "STORE": 147}',
    '{"candidates": 2641, "passed": 16, "evaluated": 16, "buy": 9, "sell": 3, "ranked": 16, "selected": 11, "names": ${holdings[n]?.length}}',
    '${createdTs}'::timestamptz + interval '${n} day', '${createdTs}'::timestamptz + interval '${n} day 966 milliseconds')`)}
ON CONFLICT DO NOTHING;
INSERT INTO strategy.universe_snapshots (snapshot_id, run_id, strategy_id, as_of, filter_stats, created_ts)
VALUES ${both((n) => `(${universes[n]}, ${runs[n]}, '${strategy}', '${days[n]}',
    '{"listings": 2641, "passed": 16, "tiers": {"HOLDING": 4, "WATCHLIST": 4, "RANKING": 8},
      "excluded": {"VALUE": 1184, "MARKET_CAP": 742, "VOLUME": 391, "INSTRUMENT": 218, "STATUS": 47, "MANAGED": 31, "NAME": 12}}',
    '${createdTs}'::timestamptz + interval '${n} day')`)} ON CONFLICT DO NOTHING;
INSERT INTO strategy.universe_daily (snapshot_id, universe_date, symbol, tier, list, exclusion, market, sector, market_cap, avg_volume_5d,
    avg_value_5d)
SELECT ${universes[1]}, '${days[1]}', symbol, CASE WHEN n <= 4 THEN 'HOLDING' WHEN n <= 8 THEN 'WATCHLIST' ELSE 'RANKING' END,
    CASE WHEN n > 8 THEN (ARRAY['VALUE', 'GAINERS', 'MARKET_CAP', 'VOLUME_SURGE'])[1 + n % 4] END, NULL,
    CASE WHEN symbol IN ('196170', '247540') THEN 'KOSDAQ' ELSE 'KOSPI' END, sector, 480000000000000 / (n * n), 14000000 / n, 950000000000 / n
FROM (VALUES ${listed}) AS listed (n, symbol, sector) ON CONFLICT DO NOTHING;
INSERT INTO strategy.universe_daily (snapshot_id, universe_date, symbol, exclusion, market, market_cap, avg_volume_5d, avg_value_5d) VALUES
    (${universes[1]}, '${days[1]}', '069500', 'INSTRUMENT', 'KOSPI', NULL, 4100000, 310000000000),
    (${universes[1]}, '${days[1]}', '229200', 'INSTRUMENT', 'KOSPI', NULL, 2200000, 40000000000),
    (${universes[1]}, '${days[1]}', '015760', 'VALUE', 'KOSPI', 13000000000000, 900000, 800000000),
    (${universes[1]}, '${days[1]}', '086790', 'VOLUME', 'KOSPI', 17000000000000, 80000, 3000000000) ON CONFLICT DO NOTHING;
INSERT INTO strategy.signal_snapshots (snapshot_id, universe_snapshot_id, strategy_id, as_of, created_ts)
VALUES ${both((n) => `(${signals[n]}, ${universes[n]}, '${strategy}', '${days[n]}', '${createdTs}'::timestamptz + interval '${n} day')`)}
ON CONFLICT DO NOTHING;
INSERT INTO strategy.factor_scores (snapshot_id, symbol, momentum, technical, value, quality, flow, event, total_score, strength, conviction)
SELECT ${signals[1]}, symbol, momentum, technical, value, quality, flow, event, total, 50 * (1 + total), 88 - 2 * n FROM (
    SELECT *, (0.9 - 0.105 * n)::numeric(12, 10) AS total, (0.95 - 0.11 * n)::numeric(12, 10) AS momentum,
        (0.6 * sin(n * 1.7))::numeric(12, 10) AS technical, (0.7 - 0.1 * (n % 12))::numeric(12, 10) AS value,
        CASE WHEN n % 5 > 0 THEN (0.8 * cos(n * 0.9))::numeric(12, 10) END AS quality,
        (0.85 - 0.1 * n)::numeric(12, 10) AS flow, CASE WHEN n % 3 > 0 THEN (0.4 * sin(n))::numeric(12, 10) END AS event
    FROM (VALUES ${listed}) AS listed (n, symbol, sector)) scored ON CONFLICT DO NOTHING;
INSERT INTO strategy.signals (snapshot_id, kind, rank, symbol, strength, conviction, total_score, momentum, technical, value, quality, flow, event)
SELECT snapshot_id, kind, row_number() OVER (PARTITION BY kind ORDER BY abs(strength - 50) DESC, symbol), symbol, strength, conviction,
    total_score, momentum, technical, value, quality, flow, event
FROM (SELECT *, CASE WHEN strength >= 65 THEN 'BUY' WHEN strength <= 35 THEN 'SELL' END AS kind
    FROM strategy.factor_scores WHERE snapshot_id = ${signals[1]}) scored WHERE kind IS NOT NULL ON CONFLICT DO NOTHING;
INSERT INTO strategy.ranking_snapshots (snapshot_id, signal_snapshot_id, strategy_id, as_of, created_ts)
VALUES ${both((n) => `(${rankings[n]}, ${signals[n]}, '${strategy}', '${days[n]}', '${createdTs}'::timestamptz + interval '${n} day')`)}
ON CONFLICT DO NOTHING;
INSERT INTO strategy.rankings (snapshot_id, rank, symbol, market, sector, total_score, score, strength, risk_score, volatility, liquidity,
    sector_loss, market_loss, selected, reason)
SELECT ${rankings[1]}, row_number() OVER (ORDER BY score - sector_loss - market_loss DESC, n), symbol,
    CASE WHEN symbol IN ('196170', '247540') THEN 'KOSDAQ' ELSE 'KOSPI' END, sector, score - sector_loss - market_loss, score, strength, risk,
    18 + 2.5 * (n % 9), 950000000000 / n, sector_loss, market_loss, n NOT IN (4, 9) AND n < 13,
    CASE WHEN n = 4 THEN 'VOLATILITY' WHEN n = 9 THEN 'VALUE' WHEN n >= 13 THEN 'SCORE' END FROM (
    SELECT *, 0.7 * strength + 0.3 * (100 - risk) AS score FROM (
        SELECT *, 92 - 3.0 * n AS strength, 24 + 4.0 * (n % 7) AS risk, CASE WHEN n IN (3, 6) THEN 5 ELSE 0 END AS sector_loss,
            CASE WHEN n = 8 THEN 10 ELSE 0 END AS market_loss
        FROM (VALUES ${listed}) AS listed (n, symbol, sector)) of_risk) scored ON CONFLICT DO NOTHING;
INSERT INTO strategy.portfolios (portfolio_id, strategy_id, ranking_snapshot_id, as_of, holdings, total_weight, status, activated_by,
    activated_ts, created_ts)
VALUES ${both((n) => `(${portfolios[n]}, '${strategy}', ${rankings[n]}, '${days[n]}', '[${holdings[n]?.join(', ')}]', ${totals[n]},
    ${n === 0 ? `'ACTIVE', 'scheduler', '${createdTs}'::timestamptz` : `'DRAFT', NULL, NULL`}, '${createdTs}'::timestamptz + interval '${n} day')`)}
ON CONFLICT DO NOTHING;
INSERT INTO strategy.rebalances (portfolio_id, day, account_id, equity, state, reason)
VALUES (${portfolios[0]}, '${days[0]}', 'REBALANCED', 214800000, 'SELLING', NULL) ON CONFLICT DO NOTHING;
INSERT INTO strategy.rebalance_lines (portfolio_id, symbol, side, action_key, place, weight, held, target, qty, price, skipped) VALUES
    (${portfolios[0]}, '015760', 'SELL', '${strategy}:1', 1, 0, 240, 0, 240, 41250, NULL),
    (${portfolios[0]}, '005930', 'BUY', '${strategy}:2', 2, 100000, 20, 198, 178, 108400, NULL),
    (${portfolios[0]}, '000660', 'BUY', '${strategy}:3', 3, 100000, 0, 37, 30, 577000, 'REDUCED'),
    (${portfolios[0]}, '005380', 'NONE', '${strategy}:4', 4, 100000, 83, 83, 0, 258500, 'SMALL_WEIGHT') ON CONFLICT DO NOTHING;
COMMIT;`;
}
