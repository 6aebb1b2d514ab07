//! The snapshots of a day, all stages in one commit.

use std::collections::BTreeMap;
use std::pin::pin;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Transaction};
use turnstile_dataflows::model::Symbol;
use turnstile_strategy::{Day, Evaluation, FactorScores, Holding, Market, NoPortfolio, Snapshot};
use uuid::Uuid;

use super::day::{column, date_of};
use super::run::Scope;
use super::runs::{Open, RunState, end};
use super::{Asked, StrategyError, names};
use crate::postgres::{LogLevel, LogRow, write_log};

const UNIVERSE: &str = "INSERT INTO strategy.universe_snapshots
    (snapshot_id, run_id, strategy_id, as_of, filter_stats) VALUES ($1, $2, $3, $4, $5)";
const SIGNALS: &str = "INSERT INTO strategy.signal_snapshots
    (snapshot_id, universe_snapshot_id, strategy_id, as_of) VALUES ($1, $2, $3, $4)";
const RANKINGS: &str = "INSERT INTO strategy.ranking_snapshots
    (snapshot_id, signal_snapshot_id, strategy_id, as_of) VALUES ($1, $2, $3, $4)";
/// What re-entries ask of a ranking (`ranking_held`); does nothing where one of a later day stands.
const RANKED: &str = "SELECT strategy.replace_ranked($1, $2)";
const PORTFOLIO: &str = "INSERT INTO strategy.portfolios
    (portfolio_id, ranking_snapshot_id, strategy_id, as_of, holdings, total_weight)
    VALUES ($1, $2, $3, $4, $5, $6)";

const UNIVERSE_ROWS: &str =
    "COPY strategy.universe_daily (snapshot_id, universe_date, symbol, tier, list,
    exclusion, market, sector, market_cap, avg_volume_5d, avg_value_5d) FROM STDIN BINARY";
const UNIVERSE_TYPES: [Type; 11] = [
    Type::UUID,
    Type::DATE,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::INT8,
    Type::INT8,
    Type::INT8,
];
const SCORE_ROWS: &str =
    "COPY strategy.factor_scores (snapshot_id, symbol, momentum, technical, value,
    quality, flow, event, total_score, strength, conviction) FROM STDIN BINARY";
const SCORE_TYPES: [Type; 11] = [
    Type::UUID,
    Type::TEXT,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
];
const SIGNAL_ROWS: &str = "INSERT INTO strategy.signals (snapshot_id, kind, rank, symbol, strength,
        conviction, total_score, momentum, technical, value, quality, flow, event)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const RANKING_ROWS: &str =
    "INSERT INTO strategy.rankings (snapshot_id, rank, symbol, market, sector,
        total_score, score, strength, risk_score, volatility, liquidity, sector_loss, market_loss,
        selected, reason)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

/// Stores what a run says, and its end. Of a universe that is not published only the end.
pub(super) async fn store(
    client: &mut Client,
    asked: &Asked,
    run: &mut Open,
    snapshot: &Snapshot,
) -> Result<RunState, StrategyError> {
    let began = Instant::now();
    let transaction = client.transaction().await?;
    let (state, reason) = match &snapshot.portfolio {
        Err(reason @ NoPortfolio::Universe { .. }) => (RunState::Refused, Some(words(*reason))),
        Err(NoPortfolio::Names(_)) | Ok(_) if asked.scope == Scope::Universe => {
            (RunState::Done, None)
        }
        Err(reason @ NoPortfolio::Names(_)) => (RunState::Done, Some(words(*reason))),
        Ok(_) => (RunState::Done, None),
    };
    if state == RunState::Done {
        let stages = Stages {
            transaction: &transaction,
            strategy: &asked.strategy_id,
            as_of: column(run.day),
        };
        let universe = stages.universe(run.run_id, snapshot).await?;
        if asked.scope == Scope::All {
            stages.others(universe, snapshot).await?;
        }
    }
    run.took("STORE", began.elapsed());
    end(&transaction, run, state, reason.as_deref(), snapshot).await?;
    if let Some(reason) = reason {
        write_log(&transaction, &alarm(asked, run, state, reason)).await?;
    }
    transaction.commit().await?;
    Ok(state)
}

fn words(reason: NoPortfolio) -> String {
    match reason {
        NoPortfolio::Universe {
            passed,
            with_bar,
            listed,
        } => format!(
            "the universe is not published: {passed} symbols pass, and {with_bar} of {listed} \
             listings have a bar of the day"
        ),
        NoPortfolio::Names(names) => {
            format!("no portfolio: {names} names are selected, which are too few")
        }
    }
}

fn alarm(asked: &Asked, run: &Open, state: RunState, reason: String) -> LogRow {
    let as_of = date_of(run.day);
    LogRow {
        level: LogLevel::Warning,
        module: "strategy",
        event: match state {
            RunState::Refused => "STRATEGY_REFUSED",
            RunState::Done => "STRATEGY_NO_PORTFOLIO",
        },
        symbol: None,
        position_id: None,
        message: format!("strategy {} of {as_of}: {reason}", asked.strategy_id),
        context: json!({"strategy_id": asked.strategy_id, "as_of": as_of, "run_id": run.run_id}),
    }
}

/// Returns what is told of lists of others that are too old to count, by market, with their days.
pub(super) fn outdated(asked: &Asked, day: Day, lists: &[(Market, Day)]) -> LogRow {
    let as_of = date_of(day);
    let lists = lists.iter();
    let lists = lists.map(|(market, on)| format!("{} of {}", market.name(), date_of(*on)));
    let lists = lists.collect::<Vec<_>>().join(", ");
    LogRow {
        level: LogLevel::Warning,
        module: "strategy",
        event: "STRATEGY_RANKINGS_OLD",
        symbol: None,
        position_id: None,
        message: format!(
            "strategy {} of {as_of}: the newest POPULAR lists are too old to count: {lists}",
            asked.strategy_id
        ),
        context: json!({"strategy_id": asked.strategy_id, "as_of": as_of, "lists": lists}),
    }
}

/// The stages of a day, each with the id of the one before.
struct Stages<'t> {
    transaction: &'t Transaction<'t>,
    strategy: &'t str,
    as_of: crate::postgres::Date,
}

impl Stages<'_> {
    /// Stores what follows from a universe.
    async fn others(&self, universe: Uuid, snapshot: &Snapshot) -> Result<(), StrategyError> {
        let signals = self.signals(universe, snapshot).await?;
        let rankings = self.rankings(signals, snapshot).await?;
        if let Ok(holdings) = &snapshot.portfolio {
            self.portfolio(rankings, holdings).await?;
        }
        Ok(())
    }

    async fn universe(&self, run: Uuid, snapshot: &Snapshot) -> Result<Uuid, StrategyError> {
        let (id, stats) = (Uuid::new_v4(), filter_stats(snapshot));
        let header: [&(dyn ToSql + Sync); 5] = [&id, &run, &self.strategy, &self.as_of, &stats];
        self.transaction.execute(UNIVERSE, &header).await?;
        let sink = self.transaction.copy_in(UNIVERSE_ROWS).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &UNIVERSE_TYPES));
        for (symbol, row) in &snapshot.universe {
            let (tier, list) = match row.tier {
                Ok(tier) => {
                    let (tier, list) = names::tier(tier);
                    (Some(tier), list)
                }
                Err(_) => (None, None),
            };
            let exclusion = row.tier.err().map(names::exclusion);
            let symbol = symbol.text();
            let values: [&(dyn ToSql + Sync); 11] = [
                &id,
                &self.as_of,
                &&*symbol,
                &tier,
                &list,
                &exclusion,
                &row.market.name(),
                &row.sector.as_deref(),
                &row.market_cap,
                &row.volume,
                &row.value,
            ];
            writer.as_mut().write(&values).await?;
        }
        writer.finish().await?;
        Ok(id)
    }

    async fn signals(&self, universe: Uuid, snapshot: &Snapshot) -> Result<Uuid, StrategyError> {
        let id = Uuid::new_v4();
        let header: [&(dyn ToSql + Sync); 4] = [&id, &universe, &self.strategy, &self.as_of];
        self.transaction.execute(SIGNALS, &header).await?;
        let sink = self.transaction.copy_in(SCORE_ROWS).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &SCORE_TYPES));
        for (symbol, Evaluation { scores, judged, .. }) in &snapshot.evaluations {
            let [momentum, technical, value, quality, flow, event] = factors(scores);
            let total = judged.map(|(total, _, _)| total.to_decimal());
            let strength = judged.map(|(_, strength, _)| strength.to_decimal());
            let conviction = judged.map(|(_, _, conviction)| conviction.to_decimal());
            let symbol = symbol.text();
            let values: [&(dyn ToSql + Sync); 11] = [
                &id,
                &&*symbol,
                &momentum,
                &technical,
                &value,
                &quality,
                &flow,
                &event,
                &total,
                &strength,
                &conviction,
            ];
            writer.as_mut().write(&values).await?;
        }
        writer.finish().await?;
        let insert = self.transaction.prepare(SIGNAL_ROWS).await?;
        for signal in &snapshot.signals {
            let scores = evaluated(snapshot, signal.symbol)?;
            let [momentum, technical, value, quality, flow, event] = factors(&scores);
            let symbol = signal.symbol.text();
            let values: [&(dyn ToSql + Sync); 13] = [
                &id,
                &names::kind(signal.kind),
                &place(signal.rank),
                &&*symbol,
                &signal.strength.to_decimal(),
                &signal.conviction.to_decimal(),
                &signal.total.to_decimal(),
                &momentum,
                &technical,
                &value,
                &quality,
                &flow,
                &event,
            ];
            self.transaction.execute(&insert, &values).await?;
        }
        Ok(id)
    }

    async fn rankings(&self, signals: Uuid, snapshot: &Snapshot) -> Result<Uuid, StrategyError> {
        let id = Uuid::new_v4();
        let header: [&(dyn ToSql + Sync); 4] = [&id, &signals, &self.strategy, &self.as_of];
        self.transaction.execute(RANKINGS, &header).await?;
        let insert = self.transaction.prepare(RANKING_ROWS).await?;
        for row in &snapshot.rankings {
            let (of_sector, of_market) = row.losses;
            let symbol = row.symbol.text();
            let values: [&(dyn ToSql + Sync); 15] = [
                &id,
                &place(row.rank),
                &&*symbol,
                &row.market.name(),
                &row.sector.as_deref(),
                &row.total.to_decimal(),
                &row.score.to_decimal(),
                &row.strength.to_decimal(),
                &row.risk.to_decimal(),
                &row.volatility.map(|volatility| volatility.to_decimal()),
                &row.liquidity,
                &of_sector,
                &of_market,
                &row.selected.is_ok(),
                &row.selected.err().map(names::not_selected),
            ];
            self.transaction.execute(&insert, &values).await?;
        }
        let selected = snapshot.rankings.iter().filter(|row| row.selected.is_ok());
        let selected: Vec<String> = selected.map(|row| row.symbol.to_string()).collect();
        let values: [&(dyn ToSql + Sync); 2] = [&self.as_of, &selected];
        self.transaction.execute(RANKED, &values).await?;
        Ok(id)
    }

    async fn portfolio(&self, rankings: Uuid, holdings: &[Holding]) -> Result<(), StrategyError> {
        let rows = holdings.iter().map(|holding| {
            json!({
                "rank": holding.rank,
                "symbol": holding.symbol,
                "sector": holding.sector,
                "weight": holding.weight.0,
            })
        });
        let rows: Value = rows.collect();
        let total: i64 = holdings.iter().map(|holding| holding.weight.0).sum();
        let total = i32::try_from(total).unwrap_or(i32::MAX); // The table refuses more than the whole.
        let id = Uuid::new_v4();
        let values: [&(dyn ToSql + Sync); 6] =
            [&id, &rankings, &self.strategy, &self.as_of, &rows, &total];
        self.transaction.execute(PORTFOLIO, &values).await?;
        Ok(())
    }
}

/// Listings, those that pass by tier, and those kept out by reason.
fn filter_stats(snapshot: &Snapshot) -> Value {
    let (mut tiers, mut excluded) = (BTreeMap::new(), BTreeMap::new());
    for row in snapshot.universe.values() {
        let (counts, name) = match row.tier {
            Ok(tier) => (&mut tiers, names::tier(tier).0),
            Err(reason) => (&mut excluded, names::exclusion(reason)),
        };
        *counts.entry(name).or_insert(0_i64) += 1;
    }
    let passed: i64 = tiers.values().sum();
    json!({
        "listings": snapshot.universe.len(),
        "passed": passed,
        "tiers": tiers,
        "excluded": excluded,
    })
}

fn evaluated(snapshot: &Snapshot, symbol: Symbol) -> Result<FactorScores, StrategyError> {
    let found = snapshot.evaluations.get(&symbol).map(|found| found.scores);
    found.ok_or_else(|| StrategyError::Row {
        table: "strategy.signals",
        key: symbol.to_string(),
        column: "symbol",
        reason: "the dataflow has a signal without factors".to_owned(),
    })
}

fn factors(scores: &FactorScores) -> [Option<Decimal>; 6] {
    [
        scores.momentum,
        scores.technical,
        scores.value,
        scores.quality,
        scores.flow,
        scores.event,
    ]
    .map(|score| score.map(|score| score.to_decimal()))
}

fn place(rank: u32) -> i32 {
    i32::try_from(rank).unwrap_or(i32::MAX)
}
