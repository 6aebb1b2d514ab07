//! The daily strategy in the real program: on the real sessions, across a kill, and by the operator.

use std::collections::BTreeMap;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use turnstile_tests::{Api, Program, System, data, eventually};

/// Sessions that are repeated move more than those of a year.
const LIMITS: &str = "[strategy]\ndaily = false\n[strategy.limits]\nvolatility_max = 1000\n";
const FIRST: &str = "2026-01-02";
const LAST: &str = "2026-02-20";
/// Sessions of the file; an average of five bars is there from the fifth on.
const SESSIONS: i64 = 33;
const REFUSED: i64 = 4;

/// Who is in the universe of a day by the contract, in plain SQL over what is imported. Nobody is held
/// or watched.
const EXPECTED: &str = "
    SELECT s.symbol, u.as_of
    FROM strategy.universe_snapshots u
    CROSS JOIN market.stocks s
    JOIN market.daily_bars d ON d.symbol = s.symbol AND d.trade_date = u.as_of
    CROSS JOIN LATERAL (
        SELECT count(*) AS bars, sum(volume) AS volume, sum(trunc(value)) AS value FROM (
            SELECT volume, value FROM market.daily_bars b
            WHERE b.symbol = s.symbol AND b.trade_date <= u.as_of
            ORDER BY trade_date DESC LIMIT 5) newest) five
    WHERE s.market IN ('KOSPI', 'KOSDAQ') AND s.instrument_type = 'STOCK'
        AND s.name NOT LIKE '%스팩%' AND s.name NOT ILIKE '%spac%'
        AND s.status = 'ACTIVE' AND s.is_tradable AND NOT s.is_managed AND NOT s.is_caution
        AND d.volume > 0 AND NOT (d.open = 0 AND d.high = 0 AND d.low = 0)
        AND d.market_cap >= 10000000000 AND five.bars = 5
        AND five.value / 5 >= 1000000000 AND five.volume / 5 >= 100000";

async fn turnstile(system: &System, arguments: &[&str], log: &str) -> (bool, String) {
    let config = system.config_file(LIMITS);
    let arguments = [&["--config", config.as_str()], arguments].concat();
    let log = system.folder().join(format!("{log}.log"));
    let program = Program::start(&arguments, &system.environment(), &log);
    program.output().await
}

async fn import(system: &System, file: &Path) {
    let file = file.display().to_string();
    let (is_ok, output) = turnstile(system, &["import", "daily", &file], "import").await;
    assert!(is_ok, "{output}");
    // What an import does not say: two funds, of KOSPI a managed issue, a warning of the broker, one
    // suspended.
    system
        .execute(
            "UPDATE market.stocks SET instrument_type = 'ETF' WHERE symbol IN ('000660', '035420')",
            &[],
        )
        .await;
    system
        .execute(
            "UPDATE market.stocks SET is_managed = true WHERE symbol = '035720'",
            &[],
        )
        .await;
    system
        .execute(
            "UPDATE market.stocks SET is_caution = true WHERE symbol = '247540'",
            &[],
        )
        .await;
    system
        .execute("UPDATE market.stocks SET status = 'SUSPENDED', is_tradable = false WHERE symbol = '068270'", &[])
        .await;
}

/// Who is managed or under a caution by the last line of each issue of the raw file.
fn designated(file: &Path) -> Vec<String> {
    let file = std::fs::File::open(file).expect("file");
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
    let header = reader.headers().expect("a header").clone();
    let place = |column: &str| {
        header
            .iter()
            .position(|name| name == column)
            .expect("a column")
    };
    let (symbol, department) = (place("symbol"), place("dept"));
    let mut last = BTreeMap::new();
    for line in reader.records() {
        let line = line.expect("a line");
        last.insert(line[symbol].to_owned(), line[department].to_owned());
    }
    let is_designated = |department: &str| {
        department.starts_with("관리종목") || department.starts_with("투자주의환기종목")
    };
    last.retain(|_, department| is_designated(department));
    last.into_keys().collect()
}

async fn count(system: &System, query: &str) -> i64 {
    system.one(query, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_sessions_run_in_one_dataflow_also_across_a_kill() {
    let Some(file) = data("krx-daily-2026.csv.gz") else {
        return;
    };
    let system = System::start(&[], "").await;
    import(&system, &file).await;

    // The first run is killed on its way.
    let config = system.config_file(LIMITS);
    let log = system.folder().join("killed.log");
    let span = ["strategy", "run", "--from", FIRST, "--to", LAST];
    let arguments = [&["--config", config.as_str()], &span[..]].concat();
    let killed = Program::start(&arguments, &system.environment(), &log);
    let done = "SELECT count(*) FROM strategy.runs WHERE state <> 'RUNNING'";
    eventually("some days are stored", async || {
        count(&system, done).await >= 6
    })
    .await;
    killed.signal(Signal::SIGKILL);
    drop(killed.output().await);
    let half = "SELECT count(*) FROM strategy.universe_snapshots u
        LEFT JOIN strategy.run_results r USING (run_id)
        WHERE r.state IS DISTINCT FROM 'DONE' OR r.ranking_snapshot_id IS NULL";
    assert_eq!(
        count(&system, half).await,
        0,
        "a day is stored whole or not at all"
    );

    let (is_ok, output) = turnstile(&system, &span, "run").await;
    assert!(is_ok, "{output}");
    println!("{output}");
    let lines: Vec<&str> = output
        .lines()
        .filter(|line| line.get(10..12) == Some("  "))
        .collect();
    assert_eq!(lines.len(), 33, "{output}");
    assert!(
        lines.iter().filter(|line| line.contains("known")).count() >= 2,
        "{output}"
    );
    assert!(
        lines[32].contains("candidates") && lines[32].contains("factors"),
        "{output}"
    );
    let state = |state: &str| {
        format!("SELECT count(DISTINCT as_of) FROM strategy.runs WHERE state = '{state}'")
    };
    assert_eq!(count(&system, &state("DONE")).await, SESSIONS - REFUSED);
    assert_eq!(count(&system, &state("REFUSED")).await, REFUSED);
    assert_eq!(
        count(
            &system,
            "SELECT count(*) FROM strategy.runs WHERE state = 'RUNNING'"
        )
        .await,
        0
    );
    assert_eq!(
        count(&system, "SELECT count(*) FROM strategy.universe_snapshots").await,
        SESSIONS - REFUSED
    );

    // Exactly who should be is in the universe of each day: no fund, nothing halted, no SPAC.
    let passed = "SELECT symbol, universe_date FROM strategy.universe_daily WHERE tier IS NOT NULL";
    for (what, query) in [
        (
            "too many",
            format!("SELECT count(*) FROM ({passed} EXCEPT {EXPECTED}) x"),
        ),
        (
            "missing",
            format!("SELECT count(*) FROM ({EXPECTED} EXCEPT {passed}) x"),
        ),
    ] {
        assert_eq!(count(&system, &query).await, 0, "{what}");
    }
    let foul = "SELECT count(*) FROM strategy.universe_daily u
        JOIN market.stocks s USING (symbol)
        LEFT JOIN market.daily_bars d ON d.symbol = u.symbol AND d.trade_date = u.universe_date
        WHERE u.tier IS NOT NULL AND (s.instrument_type <> 'STOCK' OR s.name ~* 'spac|스팩'
            OR d.volume IS NULL OR d.volume = 0 OR d.open = 0)";
    assert_eq!(count(&system, foul).await, 0);
    assert!(count(&system, &format!("SELECT count(*) FROM ({passed}) x")).await > 29 * 500);
    // Nor what the file itself names as managed or under a caution: eleven that would be in otherwise.
    let designated = designated(&file);
    assert_eq!(designated.len(), 118);
    let inside = format!("SELECT count(*) FROM ({passed}) x WHERE symbol = ANY($1)");
    assert_eq!(system.one::<i64>(&inside, &[&designated]).await, 0);
    let kept_out = "SELECT coalesce(array_agg(symbol ORDER BY symbol), '{}')
        FROM strategy.universe_daily u JOIN market.daily_bars d USING (symbol)
        WHERE universe_date = '2026-02-20' AND trade_date = '2026-02-20' AND exclusion = $1
            AND symbol = ANY($2) AND d.volume > 0 AND d.open > 0 AND u.market_cap >= 10000000000
            AND avg_value_5d >= 1000000000 AND avg_volume_5d >= 100000";
    let managed: Vec<String> = system.one(kept_out, &[&"MANAGED", &designated]).await;
    assert_eq!(managed, ["174900", "180400"]);
    let cautions: Vec<String> = system.one(kept_out, &[&"CAUTION", &designated]).await;
    assert_eq!(cautions.len(), 9, "{cautions:?}");
    let reasons = "SELECT count(DISTINCT exclusion) FROM strategy.universe_daily WHERE universe_date = '2026-02-20'";
    assert_eq!(
        count(&system, reasons).await,
        10,
        "every filter keeps somebody out"
    );
    let evaluated = "SELECT count(*) FROM strategy.universe_daily u
        JOIN strategy.signal_snapshots h ON h.universe_snapshot_id = u.snapshot_id
        FULL JOIN strategy.factor_scores f ON f.snapshot_id = h.snapshot_id AND f.symbol = u.symbol
        WHERE (u.tier IS NULL) <> (f.symbol IS NULL)";
    assert_eq!(count(&system, evaluated).await, 0);
    // 33 bars are too few for momentum and the oscillators, and there is nothing else.
    let factors = "SELECT count(*) FROM strategy.factor_scores
        WHERE num_nonnulls(momentum, technical, value, quality, flow, event) > 0";
    assert_eq!(count(&system, factors).await, 0);

    // The same again stores nothing.
    let (is_ok, output) = turnstile(&system, &span, "again").await;
    assert!(is_ok, "{output}");
    let known = output
        .lines()
        .filter(|line| line.contains("known") || line.contains("refused"));
    assert_eq!(known.count(), 33, "{output}");
    assert_eq!(
        count(&system, "SELECT count(*) FROM strategy.universe_snapshots").await,
        SESSIONS - REFUSED
    );
    let (is_ok, output) = turnstile(&system, &["strategy", "show"], "show").await;
    assert!(
        is_ok && output.contains("no portfolio: 0 names"),
        "{output}"
    );
    let (is_ok, output) = turnstile(
        &system,
        &["strategy", "run", "--date", "2026-02-21"],
        "saturday",
    )
    .await;
    assert!(!is_ok && output.contains("not published"), "{output}");
    system.stop().await;
}

/// Four more times the sessions of the file before it, each ending where the next one begins, flows of
/// every session, and figures of every company.
async fn make_history(system: &System) {
    for block in 1..=4 {
        system
            .execute(
                "WITH edges AS (
                     SELECT symbol, (array_agg(close ORDER BY trade_date))[1]
                         / (array_agg(close ORDER BY trade_date DESC))[1] AS ratio
                     FROM market.daily_bars WHERE trade_date >= '2026-01-02' GROUP BY symbol)
                 INSERT INTO market.daily_bars (symbol, trade_date, open, high, low, close, volume, value,
                     market_cap, shares, source)
                 SELECT symbol, trade_date - 56 * $1::integer, round(open * scale), round(high * scale),
                     round(low * scale), greatest(round(close * scale), 1), volume, value, market_cap, shares,
                     source
                 FROM market.daily_bars JOIN edges USING (symbol)
                 CROSS JOIN LATERAL (SELECT least(greatest(power(ratio, $1::integer), 0.05), 20) AS scale) s
                 WHERE trade_date >= '2026-01-02'",
                &[&block],
            )
            .await;
    }
    system
        .execute(
            "INSERT INTO market.investor_flows (symbol, trade_date, foreign_net, institution_net, source)
             SELECT symbol, trade_date, 300000 * (1 - 2 * (abs(hashtext(symbol)) % 2)),
                 150000 * (1 - 2 * (abs(hashtext(symbol)) % 2)), 'IMPORT'
             FROM market.daily_bars WHERE trade_date >= '2026-01-02'",
            &[],
        )
        .await;
    system
        .execute(
            "INSERT INTO market.fundamentals (symbol, report_date, per, pbr, psr, roe, debt_ratio, source)
             SELECT symbol, '2025-11-14', 5 + 30 * (abs(hashtext(symbol)) % 2), 0.4 + 4 * (abs(hashtext(symbol)) % 2), 0.4,
                 0.2 - 0.2 * (abs(hashtext(symbol)) % 2), 0.4 + abs(hashtext(symbol)) % 2, 'IMPORT'
             FROM market.stocks",
            &[],
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portfolio_is_asked_for_by_the_api_and_put_in_force() {
    let Some(file) = data("krx-daily-2026.csv.gz") else {
        return;
    };
    let system = System::start(&[], "").await;
    import(&system, &file).await;
    make_history(&system).await;
    let stream = system.start_stream(LIMITS);
    let (program, url) = system.bff().await;
    let api = Api::new(program, url);

    let asked = json!({"asked_by": "kim", "reason": "a try", "idempotency_key": "a"});
    let mut answer = Value::Null;
    eventually("the run is made", async || {
        let (status, body) = api.post("/strategy/runs", &asked).await;
        assert_eq!(status, 200, "{body}");
        answer = body["data"].clone();
        answer["state"] == "DONE"
    })
    .await;
    let (_, runs) = api.get("/strategy/runs").await;
    let run = &runs["data"][0];
    println!("{run}");
    assert_eq!(
        (&run["run_id"], &run["as_of"]),
        (&answer["run_id"], &json!(LAST))
    );
    let (status, latest) = api.get("/portfolios/latest").await;
    assert_eq!(status, 200, "{latest}");
    let portfolio = latest["data"]["portfolio_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(run["portfolio_id"], json!(portfolio));
    assert_eq!(latest["data"]["status"], "DRAFT");
    assert_eq!(api.get("/portfolios/active").await.0, 404);

    let activate = [
        "strategy", "activate", &portfolio, "--by", "lee", "--reason", "monday",
    ];
    let (is_ok, output) = turnstile(&system, &activate, "activate").await;
    assert!(is_ok && output.contains("in force"), "{output}");
    let (status, active) = api.get("/portfolios/active").await;
    assert_eq!(
        (status, &active["data"]["activated_by"]),
        (200, &json!("lee")),
        "{active}"
    );
    let (is_ok, output) = turnstile(&system, &activate, "twice").await;
    assert!(
        !is_ok && output.contains("is ACTIVE, only a DRAFT"),
        "{output}"
    );

    // Another one by hand: the cached copy of the first is gone with it.
    let again = ["strategy", "run", "--again", "--activate", "--by", "lee"];
    let (is_ok, output) = turnstile(&system, &again, "more").await;
    assert!(
        is_ok && output.contains(&format!("in the place of {portfolio}")),
        "{output}"
    );
    let (_, other) = api.get("/portfolios/active").await;
    assert_ne!(other["data"]["portfolio_id"], json!(portfolio));
    assert_eq!(
        other["data"]["holdings"], active["data"]["holdings"],
        "the same input"
    );
    let (is_ok, output) = turnstile(&system, &["strategy", "show", "--date", LAST], "show").await;
    assert!(is_ok && output.contains("cash"), "{output}");
    println!("{output}");
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}
