//! A day of the daily strategy as `turnstile stream` runs it by itself, on the clock of the simulated
//! market: what was missed, the universe of the morning, and a portfolio in force in the evening.

use std::fmt::Write as _;

use turnstile_tests::{Program, Stock, System};

const NAMES: [&str; 12] = [
    "100010", "100020", "100030", "100040", "100050", "100060", "100070", "100080", "100090",
    "100100", "100110", "100120",
];
const CLOSE: i64 = 20_000;
/// 2026-12-01 is a Tuesday.
const CLOCK: &str = "[clock]\nstart = \"2026-12-01T07:55:00\"\n";
const STRATEGY: &str = "[strategy]\nauto_activate = true\n[strategy.limits]\nuniverse_min = 10\n";

/// Puts the market's clock at a time of the day.
async fn at(system: &System, time: &str) {
    let start = format!("2026-12-01T{time}");
    let clock = serde_json::json!({ "start": start });
    system.post("/clock", clock).await;
}

/// Waits until a job is done once for a key.
async fn done(system: &System, job: &str, key: &str) {
    let runs = format!(
        "SELECT count(*) FROM system.job_runs
         WHERE job = '{job}' AND run_key = '{key}' AND status = 'DONE'"
    );
    system.counts(&runs, 1).await;
}

async fn text(system: &System, query: &str) -> String {
    let told: Option<String> = system.one(query, &[]).await;
    told.unwrap_or_default()
}

/// Imports the bars of the day by the program, as the operator does after the close.
async fn import_bars(system: &System) {
    let mut bars =
        String::from("date,symbol,name,market,open,high,low,close,volume,value,market_cap\n");
    let close = CLOSE * 1_002 / 1_000;
    for name in NAMES {
        let (value, cap) = (close * 1_000_000, close * 10_000_000);
        let _ = writeln!(
            bars,
            "2026-12-01,{name},{name},KOSPI,{close},{close},{close},{close},1000000,{value},{cap}"
        );
    }
    let file = system.folder().join("daily.csv");
    std::fs::write(&file, bars).expect("bars");
    let (config, file) = (system.config_file(STRATEGY), file.display().to_string());
    let arguments = ["--config", &config, "import", "daily", &file];
    let log = system.folder().join("import.log");
    let import = Program::start(&arguments, &system.environment(), &log);
    let (is_ok, output) = import.output().await;
    assert!(is_ok, "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_runs_a_day_of_the_strategy_by_itself() {
    let stocks = NAMES.map(|symbol| Stock {
        symbol,
        close: CLOSE,
        held: 0,
    });
    let mut system = System::start(&stocks, CLOCK).await;
    system
        .jobs
        .push_str("retry_min = \"200ms\"\nretry_max = \"1s\"\n");
    system.strong_market(&NAMES, "2026-11-30", CLOSE).await;
    let stream = system.start_stream(STRATEGY);

    // Of five days before, on each of which this market trades, those with bars are made up for, each once;
    // the weekend has none.
    for day in ["2026-11-26", "2026-11-27", "2026-11-30"] {
        done(&system, "strategy", day).await;
    }
    let runs = "SELECT string_agg(as_of || ' ' || trigger || ' ' || state, ', ' ORDER BY as_of)
        FROM strategy.runs";
    assert_eq!(
        text(&system, runs).await,
        "2026-11-26 SCHEDULE DONE, 2026-11-27 SCHEDULE DONE, 2026-11-30 SCHEDULE DONE"
    );
    let active =
        "SELECT as_of || ' ' || activated_by FROM strategy.portfolios WHERE status = 'ACTIVE'";
    assert_eq!(text(&system, active).await, "2026-11-30 scheduler");

    // The universe of the morning, in which a symbol is watched no more.
    let watched = "DELETE FROM strategy.watchlist WHERE symbol = $1";
    system.execute(watched, &[&NAMES[0]]).await;
    at(&system, "08:00:00").await;
    done(&system, "universe", "2026-12-01").await;
    let tiers = "SELECT string_agg(u.tier, ', ' ORDER BY s.created_ts)
        FROM strategy.universe_snapshots s JOIN strategy.universe_daily u USING (snapshot_id)
        WHERE s.as_of = '2026-11-30' AND u.symbol = '100010'";
    assert_eq!(text(&system, tiers).await, "WATCHLIST, RANKING");
    let signals = "SELECT count(*) FROM strategy.signal_snapshots WHERE as_of = '2026-11-30'";
    assert_eq!(
        system.one::<i64>(signals, &[]).await,
        1,
        "the universe alone"
    );

    // After the close the bars are late: the day is refused, and run once they have come.
    at(&system, "16:30:00").await;
    let refused =
        "SELECT count(*) FROM strategy.runs WHERE as_of = '2026-12-01' AND state = 'REFUSED'";
    system.counts(refused, 1).await;
    import_bars(&system).await;
    done(&system, "strategy", "2026-12-01").await;
    assert_eq!(text(&system, active).await, "2026-12-01 scheduler");
    let names = "SELECT count(*) FROM strategy.portfolio_holdings
        JOIN strategy.portfolios USING (portfolio_id) WHERE status = 'ACTIVE'";
    assert_eq!(system.one::<i64>(names, &[]).await, 12);
    // What was made up for days ago was never in force.
    let others = "SELECT string_agg(as_of || ' ' || status, ', ' ORDER BY as_of)
        FROM strategy.portfolios WHERE status <> 'ACTIVE'";
    assert_eq!(
        text(&system, others).await,
        "2026-11-26 DRAFT, 2026-11-27 DRAFT, 2026-11-30 ARCHIVED"
    );
    stream.stop().await;
    system.stop().await;
}
