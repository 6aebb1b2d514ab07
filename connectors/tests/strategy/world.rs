//! A market that somebody made up: sixty issues, a third of them weak, on the weekdays of half a year.

use jiff::civil::Date;
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::redis::{Cache, RedisConfig};
use turnstile_connectors::strategy::{
    Asked, DayRun, Days, Scope, StrategyConfig, StrategyError, Trigger, run,
};

use crate::postgres::Server;

/// Name of the strategy.
pub(crate) const STRATEGY: &str = "daily";
/// The last session of the market.
pub(crate) const LAST: &str = "2026-07-31";

/// Issues, and their days: close and volume move by their number and the day.
pub(crate) const MARKET: &str = "
INSERT INTO market.stocks (symbol, name, market, sector, market_cap)
SELECT (100000 + n)::text, 'name ' || n, CASE n % 2 WHEN 0 THEN 'KOSPI' ELSE 'KOSDAQ' END,
    'sector ' || n % 8, 900000000000
FROM generate_series(1, 60) n;
INSERT INTO market.stocks (symbol, name, market, instrument_type) VALUES
    ('200001', 'A fund', 'KOSPI', 'ETF'), ('200002', '어느 스팩', 'KOSDAQ', 'STOCK');
WITH sessions AS (
    SELECT day::date, row_number() OVER (ORDER BY day) AS i
    FROM generate_series('2026-01-01'::date, '2026-07-31', '1 day') day
    WHERE extract(isodow FROM day) < 6),
bars AS (
    SELECT s.symbol, day, i, s.symbol::bigint - 100000 AS n,
        round((10000 * power(CASE s.symbol::bigint % 3 WHEN 0 THEN 0.998 ELSE 1.003 END, i)
            * (1 + 0.004 * sin(i + s.symbol::bigint)))::numeric) AS close
    FROM market.stocks s, sessions)
INSERT INTO market.daily_bars (symbol, trade_date, open, high, low, close, volume, value, market_cap, source)
SELECT symbol, day, close, close + 10, close - 10, close,
    1500000 + (i * 37 + n * 9100) % 100000, close * (1500000 + (i * 37 + n * 9100) % 100000),
    close * 10000000, 'IMPORT'
FROM bars;
INSERT INTO market.investor_flows (symbol, trade_date, foreign_net, institution_net, source)
SELECT symbol, trade_date, sign * (150000 + symbol::bigint % 1000), sign * 90000, 'IMPORT'
FROM (SELECT symbol, trade_date, CASE symbol::bigint % 3 WHEN 0 THEN -1 ELSE 1 END AS sign
    FROM market.daily_bars) b;
INSERT INTO market.fundamentals (symbol, report_date, per, pbr, psr, roe, debt_ratio, source)
SELECT symbol, '2026-03-31',
    CASE symbol::bigint % 3 WHEN 0 THEN 60 ELSE 6 + symbol::bigint % 5 END,
    CASE symbol::bigint % 3 WHEN 0 THEN 6 ELSE 0.6 END, 1, CASE symbol::bigint % 3 WHEN 0 THEN -0.2 ELSE 0.22 END,
    CASE symbol::bigint % 3 WHEN 0 THEN 4 ELSE 0.4 END, 'IMPORT'
FROM market.stocks;
INSERT INTO market.disclosures (receipt_no, symbol, disclosed_ts, title, source) VALUES
    ('20260720000001', '100001', '2026-07-20 18:00:00+09', '자기주식 취득 결정', 'IMPORT'),
    ('20260731000001', '100002', '2026-07-31 23:59:59+09', '소송 등의 제기', 'IMPORT'),
    ('20260801000001', '100004', '2026-08-01 00:00:00+09', '신규시설 투자', 'IMPORT');
";

/// A database with the market.
pub(crate) struct World {
    pub(crate) postgres: Postgres,
    pub(crate) cache: Cache,
    pub(crate) config: StrategyConfig,
    _server: Server,
}

impl World {
    pub(crate) async fn start() -> Self {
        let server = Server::start().await;
        let world = Self {
            postgres: server.connect().await,
            cache: Cache::new(&RedisConfig::default()).unwrap(),
            config: config(),
            _server: server,
        };
        world.sql(MARKET).await;
        world
    }

    /// Runs the strategy by hand.
    pub(crate) async fn run(&self, days: Days, again: bool) -> Result<Vec<DayRun>, StrategyError> {
        let asked = Asked {
            strategy_id: STRATEGY.to_owned(),
            trigger: Trigger::Cli,
            asked_by: "kim".to_owned(),
            days,
            scope: Scope::All,
            again,
        };
        run(&self.postgres, &self.config.limits, &asked, &|_told| {}).await
    }

    /// Runs the strategy for one day, which must end with a result.
    pub(crate) async fn day(&self, day: &str, again: bool) -> DayRun {
        let mut days = self.run(Days::One(date(day)), again).await.unwrap();
        assert_eq!(days.len(), 1);
        days.remove(0)
    }

    pub(crate) async fn sql(&self, sql: &str) {
        let client = self.postgres.client().await.unwrap();
        let done = client.batch_execute(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {:?}", error.as_db_error()));
    }

    /// Returns the one text of a query.
    pub(crate) async fn text(&self, query: &str) -> String {
        text(&self.postgres, query).await
    }

    /// Returns what the database says against a statement.
    pub(crate) async fn refusal(&self, sql: &str) -> String {
        let client = self.postgres.client().await.unwrap();
        let error = client.batch_execute(sql).await.expect_err(sql);
        error.as_db_error().unwrap().message().to_owned()
    }
}

/// Limits that fit sixty issues.
pub(crate) fn config() -> StrategyConfig {
    let mut config = StrategyConfig::default();
    config.limits.universe_min = 50;
    config
}

/// Puts the market into a database.
pub(crate) async fn make_market(postgres: &Postgres) {
    let client = postgres.client().await.unwrap();
    client.batch_execute(MARKET).await.unwrap();
}

/// Returns the one text of a query.
pub(crate) async fn text(postgres: &Postgres, query: &str) -> String {
    let client = postgres.client().await.unwrap();
    let row = client.query_one(query, &[]).await;
    let row = row.unwrap_or_else(|error| panic!("{query}: {:?}", error.as_db_error()));
    row.get::<_, Option<String>>(0).unwrap_or_default()
}

pub(crate) fn date(text: &str) -> Date {
    text.parse().unwrap()
}
