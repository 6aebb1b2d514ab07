//! A database with positions, and levels as the engine tells them.

use tokio_postgres::Client;
use turnstile_connectors::postgres::Postgres;
use turnstile_dataflows::exit::{Level, PositionLevels, RuleLevel, Side};
use turnstile_dataflows::model::{ExitReason, LogicalTime, Price};

use crate::servers::{PostgresServer, eventually};

pub(crate) const FIRST: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const SECOND: &str = "22222222-2222-4222-8222-222222222222";
/// 2026-11-24 10:00 in Seoul.
pub(crate) const TEN: LogicalTime = LogicalTime::from_micros(1_795_482_000_000_000);

pub(crate) struct World {
    pub(crate) server: PostgresServer,
    pub(crate) postgres: Postgres,
    pub(crate) client: Client,
}

impl World {
    /// Two positions of 100 shares at 70,000, of two symbols.
    pub(crate) async fn start() -> Self {
        let server = PostgresServer::start().await;
        let (postgres, client) = (server.connect().await, server.client().await);
        let world = Self {
            server,
            postgres,
            client,
        };
        let rows = format!(
            "INSERT INTO market.stocks (symbol, name, market) VALUES
                 ('005930', 'Samsung', 'KOSPI'), ('000660', 'Hynix', 'KOSPI');
             INSERT INTO trade.positions
                 (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts) VALUES
                 ('{FIRST}', 'A', '005930', 100, 100, 70000, now()),
                 ('{SECOND}', 'A', '000660', 100, 100, 70000, now())"
        );
        world.sql(&rows).await;
        world
    }

    pub(crate) async fn sql(&self, statements: &str) {
        self.client.batch_execute(statements).await.unwrap();
    }

    /// Returns the first column of the first row as text, empty where there is none.
    pub(crate) async fn value(&self, query: &str) -> String {
        let query = format!("SELECT q.v::text FROM ({query}) AS q(v)");
        let row = self.client.query_opt(&query, &[]).await.unwrap();
        row.and_then(|row| row.get(0)).unwrap_or_default()
    }

    /// Waits until a query gives `expected`.
    pub(crate) async fn expect(&self, query: &str, expected: &str) {
        let what = format!("{query}: {expected}");
        eventually(&what, async || self.value(query).await == expected).await;
    }
}

pub(crate) fn won(won: i64) -> Price {
    Price::from_won(won).unwrap()
}

/// Returns levels of a position under version 3 of the default profile.
pub(crate) fn levels(
    position: &str,
    symbol: &str,
    levels: &[(ExitReason, Option<&str>, Side, i64)],
) -> Box<PositionLevels> {
    let level = |&(reason, rule, side, price): &(ExitReason, Option<&str>, Side, i64)| Level {
        reason,
        rule_id: rule.map(Into::into),
        side,
        level: won(price),
    };
    Box::new(PositionLevels {
        position: position.parse().unwrap(),
        symbol: symbol.parse().unwrap(),
        profile: "default".parse().unwrap(),
        profile_version: 3,
        chosen_by: RuleLevel::Default,
        high_water_mark: Some(won(71_000)),
        levels: levels.iter().map(level).collect(),
    })
}
