//! Calendar and stock master in the running system: collected by jobs, each day once, and obeyed.

use serde_json::{Value, json};
use turnstile_tests::{Api, Program, Stock, System, eventually};

const HELD: &str = "005930";
const WATCHED: &str = "000660";
/// 2026-12-01 is a Tuesday. The market is open at any hour; its calendar has what is announced.
const CLOCK: &str = "[clock]\ncalendar_on_paper = true\nstart = \"2026-12-01T10:00:00\"\n";
const JOBS: &str =
    "stocks_spacing = \"1ms\"\nstocks_followed_every = \"1s\"\nretry_min = \"200ms\"\n";

fn stocks() -> [Stock<'static>; 2] {
    [(HELD, 100), (WATCHED, 0)].map(|(symbol, held)| Stock {
        symbol,
        close: 100_000,
        held,
    })
}

async fn start() -> System {
    let mut system = System::start(&stocks(), CLOCK).await;
    JOBS.clone_into(&mut system.jobs);
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    system
}

/// Runs of a job that ended so, for a key.
async fn runs(system: &System, job: &str, key: &str, status: &str) -> i64 {
    let count = "SELECT count(*) FROM system.job_runs
        WHERE job = $1 AND run_key = $2 AND status = $3";
    system.one(count, &[&job, &key, &status]).await
}

async fn is_done(system: &System, job: &str, key: &str) {
    eventually(&format!("{job} of {key}"), async || {
        runs(system, job, key, "DONE").await == 1
    })
    .await;
}

/// Waits until the engine has taken in so many changes of the calendar.
async fn taken_in(stream: &Program, changes: usize) {
    eventually("the engine has taken it in", async || {
        stream.log().matches("the calendar has changed").count() >= changes
    })
    .await;
}

/// How often the broker was asked something.
async fn asked(system: &System, operation: &str) -> usize {
    let log = system.get("/log").await;
    let calls = log["calls"].as_array().expect("the log has calls");
    let is_it = |call: &&Value| {
        call["path"]
            .as_str()
            .is_some_and(|path| path.ends_with(operation))
    };
    calls.iter().filter(is_it).count()
}

async fn status(system: &System, symbol: &str) -> String {
    let status = "SELECT status || CASE WHEN is_tradable THEN '' ELSE ' not tradable' END
        || CASE WHEN is_managed THEN ' managed' ELSE '' END
        FROM market.stocks WHERE symbol = $1";
    system.one(status, &[&symbol]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_companies_are_collected_after_the_close() {
    let mut system = System::start(&stocks(), &CLOCK.replace("10:00", "15:50")).await;
    system.jobs = format!("{JOBS}fundamentals_spacing = \"1ms\"\n");
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    let watch = "INSERT INTO strategy.watchlist (symbol) VALUES ($1) ON CONFLICT DO NOTHING";
    system.execute(watch, &[&WATCHED]).await;
    let stream = system.stream("").await;
    is_done(&system, "fundamentals", "2026-12-01").await;
    let told = "SELECT count(*) FROM market.fundamentals f JOIN market.stocks s USING (symbol)
        WHERE report_date = '2026-12-01' AND source = 'KIS_REST' AND per = 10 AND pbr = 1
            AND eps = 10000 AND bps = 100000 AND roe IS NULL AND sector = '화학'
            AND NOT is_caution AND quoted_on = '2026-12-01' AND symbol = '000660'";
    system.counts(told, 1).await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn masters_are_collected_once_a_day_also_across_a_restart() {
    let system = start().await;
    let stream = system.stream("").await;
    is_done(&system, "calendar", "2026-12-01").await;
    is_done(&system, "stocks", "2026-12-01").await;
    let days = "SELECT count(*) FROM market.calendar WHERE source = 'KIS'
        AND day BETWEEN '2026-12-01' AND '2027-04-30'";
    assert_eq!(system.one::<i64>(days, &[]).await, 151);
    let checked = "SELECT count(*) FROM market.stocks
        WHERE checked_on = '2026-12-01' AND is_nxt_tradable AND listed_shares IS NOT NULL";
    system.counts(checked, 2).await;
    let configured = "SELECT count(*) FROM market.calendar WHERE source = 'CONFIG'";
    system.counts(configured, 730).await;
    // Christmas is a holiday of the configuration, and this market opens.
    let conflicts = "SELECT count(*) FROM system.logs
        WHERE event = 'CALENDAR_CONFLICT' AND message LIKE '2026-12-25 %'";
    system.counts(conflicts, 1).await;

    let before = [
        asked(&system, "/chk-holiday").await,
        asked(&system, "/search-stock-info").await,
    ];
    stream.stop().await;
    let stream = system.stream("").await;
    let starts = "SELECT count(*) FROM system.job_runs
        WHERE job = 'configured days' AND status = 'DONE'";
    system.counts(starts, 2).await;
    // What came to be followed is asked in session, and nothing else is.
    system
        .execute(
            "INSERT INTO market.stocks (symbol, name, market) VALUES ('999999', 'new', 'KOSPI')",
            &[],
        )
        .await;
    system
        .execute(
            "INSERT INTO strategy.watchlist (symbol) VALUES ('999999')",
            &[],
        )
        .await;
    let new = "SELECT count(*) FROM market.stocks WHERE symbol = '999999'
        AND checked_on = '2026-12-01' AND status = 'ACTIVE'";
    system.counts(new, 1).await;
    let after = [
        asked(&system, "/chk-holiday").await,
        asked(&system, "/search-stock-info").await,
    ];
    assert_eq!(after, [before[0], before[1] + 1]);
    for job in ["calendar", "stocks"] {
        assert_eq!(runs(&system, job, "2026-12-01", "DONE").await, 1);
    }
    assert_eq!(system.one::<i64>(conflicts, &[]).await, 1, "told once");

    // The next day: a stock is suspended, another is an administrative issue.
    system
        .post("/stocks", json!({"symbol": HELD, "suspended": true}))
        .await;
    system
        .post("/stocks", json!({"symbol": WATCHED, "managed": true}))
        .await;
    system
        .post("/clock", json!({"start": "2026-12-02T08:00:00"}))
        .await;
    is_done(&system, "stocks", "2026-12-02").await;
    assert_eq!(status(&system, HELD).await, "SUSPENDED not tradable");
    assert_eq!(status(&system, WATCHED).await, "ACTIVE managed");
    let told = "SELECT string_agg(level || ' ' || message, '; ' ORDER BY symbol DESC)
        FROM system.logs WHERE event = 'STOCK_CHANGED'";
    assert_eq!(
        system.one::<String>(told, &[]).await,
        "WARNING 005930: ACTIVE to SUSPENDED, trading on NXT stopped; \
         INFO 000660: now an administrative issue"
    );

    let (bff, url) = system.bff().await;
    let api = Api::new(bff, url);
    let (code, runs) = api.get("/jobs?limit=100").await;
    assert_eq!(code, 200, "{runs}");
    let mut runs = runs["data"].as_array().expect("a list").iter();
    let is_it =
        |run: &Value| (&run["job"], &run["run_key"]) == (&json!("stocks"), &json!("2026-12-02"));
    let run = runs.find(|run| is_it(run)).expect("the run is shown");
    assert_eq!(run["status"], "DONE", "{run}");
    let (code, days) = api.get("/calendar?from=2026-12-25&to=2026-12-25").await;
    assert_eq!(code, 200, "{days}");
    let day = &days["data"][0];
    assert_eq!(
        (&day["is_open"], &day["source"], &day["is_conflict"]),
        (&json!(true), &json!("KIS"), &json!(true))
    );
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holiday_announced_at_short_notice_keeps_orders_back_for_its_day() {
    let system = start().await;
    let stream = system.stream("").await;
    is_done(&system, "calendar", "2026-12-01").await;
    taken_in(&stream, 1).await;
    // Announced in the evening before. The market itself would take orders: only the calendar closes.
    system
        .post("/holidays", json!({"date": "2026-12-02", "is_open": false}))
        .await;
    system
        .post("/clock", json!({"start": "2026-12-02T07:35:00"}))
        .await;
    is_done(&system, "calendar", "2026-12-02").await;
    let altered = "SELECT was_open AND NOT is_open FROM market.calendar_history
        WHERE day = '2026-12-02' AND source = 'KIS'";
    assert!(system.one::<bool>(altered, &[]).await);
    let told = "SELECT count(*) FROM system.logs
        WHERE event IN ('CALENDAR_DAY_CHANGED', 'CALENDAR_CONFLICT') AND context->>'day' = '2026-12-02'";
    assert_eq!(system.one::<i64>(told, &[]).await, 2);
    taken_in(&stream, 2).await;
    system
        .post("/clock", json!({"start": "2026-12-02T10:00:00"}))
        .await;

    system.trade(HELD, 94_000).await;
    let held = "SELECT count(*) FROM system.logs
        WHERE event = 'ORDER_HELD' AND message LIKE '%2026-12-02 is no trading day%'";
    system.counts(held, 1).await;
    assert_eq!(system.orders_sent().await, 0, "nothing leaves on a holiday");
    assert_eq!(runs(&system, "stocks", "2026-12-02", "DONE").await, 0);

    system
        .post("/clock", json!({"start": "2026-12-03T10:00:00"}))
        .await;
    system.trade(HELD, 94_000).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_closes_a_day_without_a_restart() {
    let system = start().await;
    let stream = system.stream("").await;
    is_done(&system, "calendar", "2026-12-01").await;
    taken_in(&stream, 1).await;
    let day = "INSERT INTO market.calendar (day, source, is_open)
        VALUES ('2026-12-01', 'OPERATOR', false)";
    system.execute(day, &[]).await;
    taken_in(&stream, 2).await;
    system.trade(HELD, 94_000).await;
    let held = "SELECT count(*) FROM system.logs
        WHERE event = 'ORDER_HELD' AND message LIKE '%2026-12-01 is no trading day%'";
    system.counts(held, 1).await;
    assert_eq!(system.orders_sent().await, 0);
    system
        .execute("DELETE FROM market.calendar WHERE source = 'OPERATOR'", &[])
        .await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    let history = "SELECT count(*) FROM market.calendar_history WHERE source = 'OPERATOR'";
    assert_eq!(system.one::<i64>(history, &[]).await, 2);
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_paper_the_calendar_is_skipped_once_and_the_configured_one_stays() {
    let mut system = System::start(&stocks(), "[clock]\nstart = \"2026-12-01T10:00:00\"\n").await;
    JOBS.clone_into(&mut system.jobs);
    let stream = system.stream("").await;
    eventually("skipped", async || {
        runs(&system, "calendar", "2026-12-01", "SKIPPED").await == 1
    })
    .await;
    is_done(&system, "stocks", "2026-12-01").await;
    system
        .post("/clock", json!({"start": "2026-12-02T10:00:00"}))
        .await;
    eventually("skipped", async || {
        runs(&system, "calendar", "2026-12-02", "SKIPPED").await == 1
    })
    .await;
    is_done(&system, "stocks", "2026-12-02").await;
    assert_eq!(stream.log().matches("job skipped").count(), 1);
    assert_eq!(asked(&system, "/chk-holiday").await, 2);
    let told = "SELECT count(*) FROM market.calendar WHERE source = 'KIS'";
    assert_eq!(system.one::<i64>(told, &[]).await, 0);
    let christmas = "SELECT count(*) FROM market.calendar_days
        WHERE day = '2026-12-25' AND source = 'CONFIG' AND NOT is_open";
    system.counts(christmas, 1).await;
    stream.stop().await;
    system.stop().await;
}
