//! Runs in `strategy.runs`, and what came of each.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;
use serde_json::{Value, json};
use tokio_postgres::{Client, GenericClient, Row};
use tracing::debug;
use turnstile_strategy::{Day, SignalKind, Snapshot};
use uuid::Uuid;

use super::StrategyError;
use super::day::{column, date_of};
use super::run::Scope;
use crate::postgres::{Postgres, PostgresError};

/// The lock that a run holds, whatever its strategy: one at a time in a database.
const LOCK: &str = "SELECT pg_try_advisory_lock(hashtextextended('turnstile strategy runs', 0))";
const UNLOCK: &str = "SELECT pg_advisory_unlock_all()";
/// Reading two thousand issues of a year, and storing them, may take longer than a query of a page.
const PATIENCE: &str = "SET statement_timeout = '10min'";
/// Whoever holds the lock knows that nobody else runs.
const ABANDON: &str = "UPDATE strategy.runs SET state = 'FAILED', ended_ts = clock_timestamp(),
        reason = 'the process ended before the run did'
    WHERE state = 'RUNNING'";
/// What of runs that ended has all stages, or none; of the others, where `$4`, too.
const KNOWN: &str = "SELECT as_of - '1970-01-01'::date, input_digest, run_id
    FROM strategy.run_results
    WHERE strategy_id = $1 AND as_of BETWEEN $2 AND $3 AND state IN ('DONE', 'REFUSED')
        AND input_digest IS NOT NULL
        AND (state = 'REFUSED' OR ranking_snapshot_id IS NOT NULL OR $4)
    ORDER BY created_ts, run_id";
const BEGIN: &str = "INSERT INTO strategy.runs
        (run_id, strategy_id, as_of, trigger, asked_by, input_digest, stage)
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const FAILED_BEFORE: &str = "INSERT INTO strategy.runs
        (run_id, strategy_id, as_of, trigger, asked_by, stage, state, reason, ended_ts)
    VALUES ($1, $2, $3, $4, $5, $6, 'FAILED', $7, clock_timestamp())";
const STAGE: &str = "UPDATE strategy.runs SET stage = $2 WHERE run_id = $1";
const END: &str = "UPDATE strategy.runs SET state = $2, reason = $3, durations = $4, counts = $5,
        ended_ts = clock_timestamp()
    WHERE run_id = $1";
const FAIL: &str =
    "UPDATE strategy.runs SET state = 'FAILED', reason = $2, ended_ts = clock_timestamp()
    WHERE run_id = $1 AND state = 'RUNNING'";
const RESULT: &str =
    "SELECT run_id, as_of - '1970-01-01'::date AS day, state, reason, counts, durations,
        portfolio_id, portfolio_status
    FROM strategy.run_results";

const NAMES: &str = "SELECT rank, symbol, name, sector, weight FROM strategy.portfolio_holdings
    WHERE portfolio_id = $1 ORDER BY rank";

/// Name of the jobs in `strategy.runs`, and of whoever activates.
pub(super) const SCHEDULER: &str = "scheduler";

/// Who set a run off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The scheduler.
    Schedule,
    /// The command line.
    Cli,
    /// The API.
    Api,
}

impl Trigger {
    const fn name(self) -> &'static str {
        match self {
            Self::Schedule => "SCHEDULE",
            Self::Cli => "CLI",
            Self::Api => "API",
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Its snapshots are stored.
    Done,
    /// Its universe was not published: nothing is stored.
    Refused,
}

impl RunState {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Done => "DONE",
            Self::Refused => "REFUSED",
        }
    }
}

/// What came of a run for one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRun {
    /// The run.
    pub run_id: Uuid,
    /// Its day.
    pub as_of: Date,
    /// How it ended.
    pub state: RunState,
    /// Why it was refused, or why it has no portfolio.
    pub reason: Option<String>,
    /// Whether it is one of before, of the same input.
    pub is_known: bool,
    /// Its portfolio.
    pub portfolio: Option<Uuid>,
    /// How the portfolio stands: DRAFT, ACTIVE or ARCHIVED.
    pub portfolio_status: Option<String>,
    /// Rows, by what they are.
    pub counts: BTreeMap<String, i64>,
    /// Milliseconds, by stage.
    pub durations: BTreeMap<String, i64>,
}

/// A name of a portfolio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldName {
    /// Rank in the ranking.
    pub rank: i32,
    /// The issue.
    pub symbol: String,
    /// Name of the company.
    pub name: Option<String>,
    /// Sector.
    pub sector: Option<String>,
    /// Millionths of equity.
    pub weight: i32,
}

/// A run under way.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) run_id: Uuid,
    pub(super) day: Day,
    pub(super) durations: BTreeMap<&'static str, i64>,
}

impl Open {
    pub(super) fn took(&mut self, stage: &'static str, duration: Duration) {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.durations.insert(stage, millis);
    }
}

/// The connection of the one who runs. It holds the lock, and all that is stored goes through it.
pub(super) struct Desk {
    pub(super) client: Client,
}

impl Desk {
    /// Takes the lock, and notes runs that a dead process has left as failed.
    pub(super) async fn open(postgres: &Postgres) -> Result<Self, StrategyError> {
        let client = postgres.connect_alone().await?;
        client.batch_execute(PATIENCE).await?;
        let row = client.query_one(LOCK, &[]).await?;
        if !row.try_get::<_, bool>(0)? {
            return Err(StrategyError::Busy);
        }
        client.execute(ABANDON, &[]).await?;
        Ok(Self { client })
    }

    /// Lets go of the lock at once; its connection would a little later.
    pub(super) async fn close(self) {
        if let Err(error) = self.client.batch_execute(UNLOCK).await {
            debug!(%error, "the lock of the runs ends with its connection");
        }
    }

    /// Returns the last run of each day and digest that ended with what is asked for.
    pub(super) async fn known(
        &self,
        asked: &super::Asked,
        first: Day,
        last: Day,
    ) -> Result<BTreeMap<(Day, String), Uuid>, StrategyError> {
        let (first, last) = (column(first), column(last));
        let is_universe = asked.scope == Scope::Universe;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&asked.strategy_id, &first, &last, &is_universe];
        let rows = self.client.query(KNOWN, &values).await?;
        let known = rows.iter().map(|row| {
            let day = u32::try_from(row.try_get::<_, i32>(0)?).unwrap_or_default();
            Ok(((Day(day), row.try_get(1)?), row.try_get(2)?))
        });
        known.collect()
    }

    pub(super) async fn begin(
        &self,
        asked: &super::Asked,
        day: Day,
        digest: &str,
        stage: &str,
    ) -> Result<Open, StrategyError> {
        let run_id = Uuid::new_v4();
        let (trigger, as_of) = (asked.trigger.name(), column(day));
        let (strategy, by) = (&asked.strategy_id, &asked.asked_by);
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
            [&run_id, strategy, &as_of, &trigger, by, &digest, &stage];
        self.client.execute(BEGIN, &values).await?;
        Ok(Open {
            run_id,
            day,
            durations: BTreeMap::new(),
        })
    }

    /// Notes a run that failed before anything was computed.
    pub(super) async fn failed_before(
        &self,
        asked: &super::Asked,
        day: Day,
        stage: &str,
        reason: &str,
    ) -> Result<(), StrategyError> {
        let (run_id, as_of) = (Uuid::new_v4(), column(day));
        let (trigger, strategy, by) = (asked.trigger.name(), &asked.strategy_id, &asked.asked_by);
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
            [&run_id, strategy, &as_of, &trigger, by, &stage, &reason];
        self.client.execute(FAILED_BEFORE, &values).await?;
        Ok(())
    }

    pub(super) async fn at_stage(&self, run: &Open, stage: &str) -> Result<(), StrategyError> {
        self.client.execute(STAGE, &[&run.run_id, &stage]).await?;
        Ok(())
    }

    pub(super) async fn failed(&self, run: &Open, reason: &str) -> Result<(), StrategyError> {
        self.client.execute(FAIL, &[&run.run_id, &reason]).await?;
        Ok(())
    }
}

/// Notes the end of a run, in the transaction that stores what came of it.
pub(super) async fn end(
    client: &impl GenericClient,
    run: &Open,
    state: RunState,
    reason: Option<&str>,
    snapshot: &Snapshot,
) -> Result<(), StrategyError> {
    let durations = json!(run.durations);
    let counts = counts(snapshot);
    client
        .execute(
            END,
            &[&run.run_id, &state.name(), &reason, &durations, &counts],
        )
        .await?;
    Ok(())
}

fn counts(snapshot: &Snapshot) -> Value {
    let of = |kind| {
        snapshot
            .signals
            .iter()
            .filter(|signal| signal.kind == kind)
            .count()
    };
    let passed = snapshot.universe.values().filter(|row| row.tier.is_ok());
    let selected = snapshot.rankings.iter().filter(|row| row.selected.is_ok());
    json!({
        "candidates": snapshot.universe.len(),
        "passed": passed.count(),
        "evaluated": snapshot.evaluations.len(),
        "buy": of(SignalKind::Buy),
        "sell": of(SignalKind::Sell),
        "ranked": snapshot.rankings.len(),
        "selected": selected.count(),
        "names": snapshot.portfolio.as_ref().map_or(0, Vec::len),
    })
}

/// Returns what came of a run that has ended.
pub(super) async fn result(
    client: &impl GenericClient,
    run: Uuid,
    is_known: bool,
) -> Result<DayRun, StrategyError> {
    let query = format!("{RESULT} WHERE run_id = $1");
    let row = client.query_one(&query, &[&run]).await?;
    read(&row, is_known)
}

/// Returns the last run of a strategy that ended with all stages or refused: of `date`, or of its last day.
///
/// # Errors
/// What the database says.
pub async fn run_of_day(
    postgres: &Postgres,
    strategy: &str,
    date: Option<Date>,
) -> Result<Option<DayRun>, StrategyError> {
    let query = format!(
        "{RESULT} WHERE strategy_id = $1 AND as_of = coalesce($2, as_of)
            AND (state = 'REFUSED' OR state = 'DONE' AND ranking_snapshot_id IS NOT NULL)
         ORDER BY as_of DESC, created_ts DESC LIMIT 1"
    );
    let day = date.map(super::day::day_of).transpose()?.map(column);
    let client = postgres.client().await?;
    let row = client.query_opt(&query, &[&strategy, &day]).await?;
    row.map(|row| read(&row, true)).transpose()
}

/// Returns the names of a portfolio, by rank.
///
/// # Errors
/// What the database says.
pub async fn names_of_portfolio(
    postgres: &Postgres,
    portfolio: Uuid,
) -> Result<Vec<HeldName>, PostgresError> {
    let client = postgres.client().await?;
    let rows = client.query(NAMES, &[&portfolio]).await?;
    let names = rows.iter().map(|row| {
        Ok(HeldName {
            rank: row.try_get("rank")?,
            symbol: row.try_get("symbol")?,
            name: row.try_get("name")?,
            sector: row.try_get("sector")?,
            weight: row.try_get("weight")?,
        })
    });
    names.collect()
}

fn read(row: &Row, is_known: bool) -> Result<DayRun, StrategyError> {
    let numbers = |column| -> Result<BTreeMap<String, i64>, StrategyError> {
        let value: Value = row.try_get(column)?;
        let pairs = value.as_object().into_iter().flatten();
        let numbers = pairs.filter_map(|(name, value)| Some((name.clone(), value.as_i64()?)));
        Ok(numbers.collect())
    };
    let day = u32::try_from(row.try_get::<_, i32>("day")?).unwrap_or_default();
    Ok(DayRun {
        run_id: row.try_get("run_id")?,
        as_of: date_of(Day(day)),
        state: match row.try_get("state").map_err(PostgresError::from)? {
            "DONE" => RunState::Done,
            _ => RunState::Refused,
        },
        reason: row.try_get("reason")?,
        is_known,
        portfolio: row.try_get("portfolio_id")?,
        portfolio_status: row.try_get("portfolio_status")?,
        counts: numbers("counts")?,
        durations: numbers("durations")?,
    })
}
