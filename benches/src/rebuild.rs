//! Rebuilding: how long an engine needs from an empty process until it stands as the database says,
//! without the broker.

use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args as ClapArgs;
use secrecy::SecretString;
use serde::Serialize;
use turnstile_connectors::postgres::{self, ChangeFeed, Postgres, PostgresConfig};
use turnstile_connectors::rows::{self, RowReader};
use turnstile_dataflows::engine::{Engine, EngineConfig, Event, Timed};
use turnstile_dataflows::model::LogicalTime;

use crate::clock::{Stopwatch, Took};
use crate::process::{Machine, resident_bytes};
use crate::servers;

/// Arguments of `rebuild`.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Args {
    /// Live positions in the database.
    #[arg(long, default_value_t = 1_000_000)]
    positions: u32,
    /// Symbols they are spread over.
    #[arg(long, default_value_t = 2_000)]
    symbols: u32,
    /// Stored ticks of each symbol since the positions were opened.
    #[arg(long, default_value_t = 50)]
    ticks: u32,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What `rebuild` prints. Seconds count from the first connection.
#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    positions: u32,
    symbols: u32,
    stored_ticks: u64,
    loaded_seconds: f64,
    ready_seconds: f64,
    resident_bytes: u64,
}

/// One rule, and `positions` positions over `symbols` symbols, opened an hour before the ticks.
const FILL: &str = "
    INSERT INTO market.stocks (symbol, name, market)
        SELECT lpad(n::text, 6, '0'), 'bench', 'KOSPI' FROM generate_series(0, $symbols - 1) n;
    INSERT INTO trade.exit_rules (rule_id, scope, name, rules, created_by) VALUES
        ('default', 'DEFAULT', 'default', '{\"sl2\": {\"pnl\": -0.05}, \"sl1\": {\"pnl\": -0.03, \"qty\": 0.5},
          \"tp1\": {\"pnl\": 0.07, \"qty\": 0.1, \"floor\": 0.006}, \"tp2\": {\"pnl\": 0.1, \"qty\": 0.2},
          \"trail\": {\"pct\": 0.03, \"qty\": 0.5}, \"time\": {\"max_hold_days\": 30}}', 'bench');
    SELECT market.ensure_prices_partition('2026-11-24');
    ALTER TABLE trade.positions DISABLE TRIGGER USER;
    ALTER TABLE trade.position_state DISABLE TRIGGER USER;
    INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price,
            entry_ts, strategy_id)
        SELECT gen_random_uuid(), 'bench', lpad((n % $symbols)::text, 6, '0'), 100, 100,
            10000 + n % 997, '2026-11-24 09:00+09', 'S' || n / $symbols
        FROM generate_series(0, $positions - 1) n;
    INSERT INTO trade.position_state (position_id, last_avg_price)
        SELECT position_id, avg_price FROM trade.positions;
    ALTER TABLE trade.positions ENABLE TRIGGER USER;
    ALTER TABLE trade.position_state ENABLE TRIGGER USER;
    INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source, last_price,
            volume, session)
        SELECT '2026-11-24', 1795482000000000 + n, lpad((n % $symbols)::text, 6, '0'), now(), now(),
            'KIS_WS', 10000 + n % 613, 1, 'REGULAR'
        FROM generate_series(0, $symbols * $ticks - 1) n;
    ANALYZE trade.positions; ANALYZE trade.position_state; ANALYZE market.prices;
";

/// Measures and prints.
///
/// # Errors
/// If the servers do not start, or a row cannot be read.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let (servers, _folder) = servers::start(false).await?;
    let url = servers.database_url().context("PostgreSQL runs")?;
    let config = PostgresConfig {
        url: SecretString::from(url),
        statement_timeout: Duration::from_secs(600),
        ..PostgresConfig::default()
    };
    postgres::migrate(&config).await?;
    fill(&config, args).await?;
    let report = rebuild(&config, args).await?;
    servers.stop().await?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!(
            "{} positions on {} symbols: loaded after {:.2} s, ready after {:.2} s",
            report.positions, report.symbols, report.loaded_seconds, report.ready_seconds
        );
    }
    Ok(())
}

async fn fill(config: &PostgresConfig, args: Args) -> anyhow::Result<()> {
    let statements = FILL
        .replace("$positions", &args.positions.to_string())
        .replace("$symbols", &args.symbols.to_string())
        .replace("$ticks", &args.ticks.to_string());
    let client = Postgres::connect(config).await?.client().await?;
    client
        .batch_execute(&statements)
        .await
        .context("filling the database")
}

async fn rebuild(config: &PostgresConfig, args: Args) -> anyhow::Result<Report> {
    let watch = Stopwatch::start()?;
    let postgres = Postgres::connect(config).await?;
    let (_feed, snapshot) = ChangeFeed::open(&postgres).await?;
    let loaded = rows::load(snapshot.client()).await?;
    ensure!(
        loaded.positions.len() == usize::try_from(args.positions)?,
        "{} positions loaded",
        loaded.positions.len()
    );
    let Took {
        seconds: loaded_seconds,
        ..
    } = watch.took()?;
    let (through, reached) = channel();
    let (engine, events) = Engine::start(EngineConfig::default(), move |batch| {
        through.send(batch.through).ok();
    })?;
    let mut time = LogicalTime::from_micros(1_795_500_000_000_000);
    for portion in loaded.portions(&mut RowReader::default(), "2026-11-24") {
        ensure!(portion.read.faults.is_empty(), "{:?}", portion.read.faults);
        time = time.plus_micros(1);
        let event = Event::Changes(portion.read.changes);
        events
            .send(Timed { time, event })
            .context("the engine runs")?;
    }
    while reached.recv().context("the engine runs")? < time {}
    let Took {
        seconds: ready_seconds,
        ..
    } = watch.took()?;
    let report = Report {
        machine: Machine::here(),
        positions: args.positions,
        symbols: args.symbols,
        stored_ticks: u64::from(args.symbols) * u64::from(args.ticks),
        loaded_seconds,
        ready_seconds,
        resident_bytes: resident_bytes()?,
    };
    drop(events);
    engine.join()?;
    Ok(report)
}
