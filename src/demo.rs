//! The demonstration of `turnstile run`: a portfolio, rules tight enough to see every flow within
//! minutes, and two issues whose prices are made to take a course.
//!
//! ```text
//! DROP_AND_RETURN  falls through both stops, recovers (bought back), falls again (blocked: the
//!                  day's re-entry is used up)
//! RISE             passes two take-profits, falls back through its floor
//! all others       move at random
//! ```

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use rust_decimal::Decimal;
use serde_json::json;
use turnstile_connectors::postgres::Postgres;
use turnstile_exchange_sim::{
    AccountConfig, HoldingConfig, Market as Listing, PathConfig, ScriptPoint, SimConfig,
    StockConfig, stocks_of_ticks,
};
use uuid::Uuid;

const DROP_AND_RETURN: &str = "000270";
const RISE: &str = "005930";
/// Money in one position at the start, KRW.
const POSITION_VALUE: i64 = 10_000_000;
const POSITIONS_MAX: usize = 12;
const STRATEGY: &str = "DEMO";

/// Seconds after the start, and the price then in ten-thousandths of the previous close.
const DROP_COURSE: [(u64, i64); 8] = [
    (0, 10_000),
    (20, 10_000),
    (40, 9_700),
    (60, 9_700),
    (85, 9_920),
    (110, 9_920),
    (130, 9_600),
    (3_600, 9_800),
];
const RISE_COURSE: [(u64, i64); 6] = [
    (0, 10_000),
    (15, 10_000),
    (45, 10_180),
    (80, 10_290),
    (130, 10_010),
    (3_600, 10_100),
];

/// The simulated market with the account that trades on it.
pub(crate) struct Market {
    pub(crate) config: SimConfig,
    pub(crate) account: Account,
}

/// How the broker connection reaches the account.
pub(crate) struct Account {
    pub(crate) app_key: String,
    pub(crate) app_secret: String,
    /// `12345678-01`.
    pub(crate) number: String,
    pub(crate) hts_id: String,
    pub(crate) token_cache: PathBuf,
}

/// Returns whether the database has neither rules nor positions.
pub(crate) async fn is_empty(postgres: &Postgres) -> anyhow::Result<bool> {
    let row = postgres
        .client()
        .await?
        .query_one(
            "SELECT NOT EXISTS (SELECT 1 FROM trade.exit_rules)
                AND NOT EXISTS (SELECT 1 FROM trade.positions)",
            &[],
        )
        .await?;
    Ok(row.try_get(0)?)
}

/// Completes the simulated market: with holdings and courses where the demonstration is new.
pub(crate) fn market(mut config: SimConfig, is_new: bool) -> anyhow::Result<Market> {
    if let PathConfig::Ticks(ticks) = &config.path {
        config.stocks = stocks_of_ticks(&ticks.file)?;
    }
    if config.accounts.is_empty() {
        config.accounts.push(AccountConfig::default());
    }
    if is_new {
        let account = &mut config.accounts[0];
        if account.holdings.is_empty() {
            account.holdings = holdings(&config.stocks);
        }
        if matches!(config.path, PathConfig::Generator(_)) {
            for stock in &mut config.stocks {
                match stock.symbol.to_string().as_str() {
                    DROP_AND_RETURN => stock.script = course(stock, &DROP_COURSE)?,
                    RISE => stock.script = course(stock, &RISE_COURSE)?,
                    _ => {}
                }
            }
        }
    }
    let account = &config.accounts[0];
    let state_file = config.state_file.clone().unwrap_or_default();
    let account = Account {
        app_key: account.app_key.clone(),
        app_secret: account.app_secret.clone(),
        number: format!("{}-{}", account.cano, account.acnt_prdt_cd),
        hts_id: account.hts_id.clone(),
        token_cache: state_file.with_file_name("kis-token.json"),
    };
    Ok(Market { config, account })
}

fn holdings(stocks: &[StockConfig]) -> Vec<HoldingConfig> {
    let shares = |stock: &StockConfig| {
        let price = Decimal::from(stock.prev_close);
        let shares = (Decimal::from(POSITION_VALUE) / price).trunc();
        i64::try_from(shares).unwrap_or(1).max(1)
    };
    stocks
        .iter()
        .filter(|stock| stock.market != Listing::Etf)
        .take(POSITIONS_MAX)
        .map(|stock| HoldingConfig {
            symbol: stock.symbol.clone(),
            qty: shares(stock),
            avg_price: stock.prev_close,
        })
        .collect()
}

fn course(stock: &StockConfig, points: &[(u64, i64)]) -> anyhow::Result<Vec<ScriptPoint>> {
    let close = Decimal::from(stock.prev_close);
    points
        .iter()
        .map(|(seconds, part)| {
            let price = (close * Decimal::new(*part, 4)).trunc();
            let price = price
                .try_into()
                .context("a course of the demonstration is no price")?;
            Ok(ScriptPoint {
                after: Duration::from_secs(*seconds),
                price: stock.market.nearest_price(price),
            })
        })
        .collect()
}

/// Writes the portfolio that the simulated account holds, the rules, and the watchlist.
pub(crate) async fn seed(postgres: &Postgres, market: &Market) -> anyhow::Result<()> {
    let mut client = postgres.client().await?;
    let transaction = client.transaction().await?;
    for stock in &market.config.stocks {
        let (listed, kind) = match stock.market {
            Listing::Kospi => ("KOSPI", "STOCK"),
            Listing::Kosdaq => ("KOSDAQ", "STOCK"),
            Listing::Etf => ("KOSPI", "ETF"),
            Listing::Foreign => ("UNKNOWN", "UNKNOWN"),
        };
        let symbol = stock.symbol.to_string();
        transaction
            .execute(
                "INSERT INTO market.stocks (symbol, name, market, instrument_type)
                 VALUES ($1, $2, $3, $4) ON CONFLICT (symbol) DO NOTHING",
                &[&symbol, &stock.name, &listed, &kind],
            )
            .await?;
        transaction
            .execute(
                "INSERT INTO strategy.watchlist (symbol, memo) VALUES ($1, 'demonstration')
                 ON CONFLICT DO NOTHING",
                &[&symbol],
            )
            .await?;
    }
    for (rule, scope, key, name, rules) in exit_rules() {
        transaction
            .execute(
                "INSERT INTO trade.exit_rules (rule_id, scope, scope_key, name, rules, created_by)
                 VALUES ($1, $2, $3, $4, $5, 'turnstile run')",
                &[&rule, &scope, &key, &name, &rules],
            )
            .await?;
    }
    for (rule, reason, cooldown, rebound, per_day) in REENTRY_RULES {
        transaction
            .execute(
                "INSERT INTO trade.reentry_rules (rule_id, name, exit_reason_code, cooldown_minutes,
                     watch_ttl_minutes, max_reentries_per_day, size_pct_entry1, trigger_params, created_by)
                 VALUES ($1, $1, $2, $3, 60, $4, 60, $5, 'turnstile run')",
                &[
                    &rule,
                    &reason,
                    &Decimal::new(cooldown, 2),
                    &per_day,
                    &serde_json::from_str::<serde_json::Value>(&trigger(rebound))?,
                ],
            )
            .await?;
    }
    for holding in &market.config.accounts[0].holdings {
        transaction
            .execute(
                "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty,
                     avg_price, entry_ts, strategy_id)
                 VALUES ($1, $2, $3, $4, $4, $5, now(), $6)",
                &[
                    &Uuid::new_v4(),
                    &market.account.number,
                    &holding.symbol.to_string(),
                    &holding.qty,
                    &Decimal::from(holding.avg_price),
                    &STRATEGY,
                ],
            )
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

fn trigger(rebound: i64) -> String {
    format!(
        r#"{{"type": "REBOUND", "rebound": {}}}"#,
        Decimal::new(rebound, 4)
    )
}

/// Rule, exit reason or class, cooldown in hundredths of a minute, rebound in hundredths of a
/// percent, re-entries a day.
const REENTRY_RULES: [(&str, &str, i64, i64, i32); 2] = [
    ("demo-after-stop", "SL", 25, 50, 1),
    ("demo-after-profit", "TP", 25, 50, 1),
];

type RuleRow = (
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
    serde_json::Value,
);

/// The recommended default profile (decision contract, section 5), and a tight one for the
/// demonstration.
fn exit_rules() -> [RuleRow; 2] {
    let default = json!({
        "atr": {"ref": 0.02, "factor_min": 1.0, "factor_max": 1.0},
        "hard_stop": {"pnl": -0.07}, "sl2": {"pnl": -0.05, "qty": 1.0},
        "sl1": {"pnl": -0.03, "qty": 0.5},
        "tp1": {"pnl": 0.07, "qty": 0.10, "floor": 0.006}, "tp2": {"pnl": 0.10, "qty": 0.20},
        "tp3": {"pnl": 0.15, "qty": 0.30, "start_trailing": true},
        "trail": {"pct": 0.03, "atr_k": 2.0, "qty": 0.5},
    });
    let demo = json!({
        "hard_stop": {"pnl": -0.04}, "sl2": {"pnl": -0.02, "qty": 1.0},
        "sl1": {"pnl": -0.012, "qty": 0.5},
        "tp1": {"pnl": 0.015, "qty": 0.25, "floor": 0.003}, "tp2": {"pnl": 0.025, "qty": 0.25},
        "tp3": {"pnl": 0.04, "qty": 0.30, "start_trailing": true},
        "trail": {"pct": 0.01, "qty": 0.5},
    });
    [
        ("default", "DEFAULT", None, "recommended default", default),
        ("demo", "STRATEGY", Some(STRATEGY), "demonstration", demo),
    ]
}
