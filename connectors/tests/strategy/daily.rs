//! The daily job, and what the operator asks for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::execution::ToldDay;
use turnstile_connectors::jobs::Job;
use turnstile_connectors::redis::{Cache, RedisConfig};
use turnstile_connectors::strategy::{DailyStrategy, RunRequests, StrategyConfig};
use turnstile_connectors::task;

use crate::rig::Rig;
use crate::world::{LAST, MARKET, World, config, date, make_market, text};

const PORTFOLIOS: &str = "SELECT string_agg(as_of || ' ' || status, ', ' ORDER BY created_ts)
    FROM strategy.portfolios";

fn daily(rig: &Rig, config: StrategyConfig) -> Vec<Arc<dyn Job>> {
    vec![Arc::new(DailyStrategy {
        postgres: rig.postgres.clone(),
        cache: Cache::new(&RedisConfig::default()).unwrap(),
        config,
        turn: Arc::default(),
    })]
}

/// Settings that make up for so many days.
fn making_up(days: u32) -> StrategyConfig {
    StrategyConfig {
        catch_up: days.try_into().unwrap(),
        ..config()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_trading_days_are_made_up_for_and_each_day_is_run_once() {
    // A Thursday morning: Wednesday is a holiday, Tuesday was missed, and the days before it.
    let mut rig = Rig::start(date("2026-07-30").at(10, 0, 0, 0)).await;
    make_market(&rig.postgres).await;
    let closed = ToldDay {
        is_open: false,
        is_settlement_day: None,
    };
    rig.calendar
        .tell(BTreeMap::from([(date("2026-07-29"), closed)]));
    rig.run(daily(&rig, making_up(2))).await;
    let missed = "2026-07-27 DONE, 2026-07-28 DONE";
    rig.until_runs("strategy", missed).await;
    // A restart, also over the weekend, runs nothing twice.
    rig.kill().await;
    rig.at(date("2026-07-30").at(16, 29, 59, 0));
    rig.run(daily(&rig, making_up(2))).await;
    rig.at(date("2026-07-30").at(16, 30, 0, 0));
    rig.until_runs("strategy", &format!("{missed}, 2026-07-30 DONE"))
        .await;
    rig.at(date("2026-07-31").at(16, 30, 0, 0));
    let all = format!("{missed}, 2026-07-30 DONE, 2026-07-31 DONE");
    rig.until_runs("strategy", &all).await;
    rig.at(date("2026-08-01").at(12, 0, 0, 0));
    rig.run(daily(&rig, making_up(2))).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(rig.runs("strategy").await, all);
    let drafts = "2026-07-27 DRAFT, 2026-07-28 DRAFT, 2026-07-30 DRAFT, 2026-07-31 DRAFT";
    assert_eq!(rig.text(PORTFOLIOS).await, drafts);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_without_data_hold_up_none_and_are_run_when_data_come() {
    // Of the last three trading days the first has no bars, and the last one has none yet.
    let mut rig = Rig::start(date("2026-08-03").at(16, 30, 0, 0)).await;
    rig.run(daily(&rig, making_up(3))).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(rig.runs("strategy").await, "", "nothing is listed");
    make_market_without(&rig, "2026-07-30").await;
    let copied = |to: &str| {
        format!(
            "INSERT INTO market.daily_bars SELECT symbol, '{to}', open, high, low, close, volume,
                 value, market_cap, shares, source
             FROM market.daily_bars WHERE trade_date = '2026-07-31'"
        )
    };
    // The broker's bar of what is followed is no market.
    let followed = "AND symbol = (SELECT min(symbol) FROM market.daily_bars)";
    rig.sql(&format!("{} {followed}", copied("2026-07-30")))
        .await;
    let done =
        "SELECT string_agg(DISTINCT run_key, ', ') FROM system.job_runs WHERE status = 'DONE'";
    until(&rig, done, "2026-07-31").await;
    let failed =
        "SELECT string_agg(DISTINCT run_key, ', ') FROM system.job_runs WHERE status = 'FAILED'";
    until(&rig, failed, "2026-08-03").await;

    let others = "ON CONFLICT DO NOTHING";
    rig.sql(&format!("{} {others}", copied("2026-07-30"))).await;
    until(&rig, done, "2026-07-30, 2026-07-31").await;
    assert_eq!(
        rig.text(failed).await,
        "2026-08-03",
        "it waited without a word"
    );
    rig.sql(&copied("2026-08-03")).await;
    until(&rig, done, "2026-07-30, 2026-07-31, 2026-08-03").await;
    let once = "SELECT max(runs)::text FROM (SELECT count(*) AS runs FROM system.job_runs
        WHERE status = 'DONE' GROUP BY run_key) r";
    assert_eq!(rig.text(once).await, "1");
    rig.stop().await;
}

/// Puts the market into the database of a rig, but for the bars of a day, as one change.
async fn make_market_without(rig: &Rig, day: &str) {
    rig.sql(&format!(
        "BEGIN; {MARKET} DELETE FROM market.daily_bars WHERE trade_date = '{day}'; COMMIT"
    ))
    .await;
}

/// Waits until a query says so.
async fn until(rig: &Rig, query: &str, expected: &str) {
    let looked = async {
        while rig.text(query).await != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(60), looked).await;
    assert!(
        in_time.is_ok(),
        "{expected} expected, was {}",
        rig.text(query).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_bars_is_refused_until_they_come() {
    let mut rig = Rig::start(date("2026-08-03").at(16, 30, 0, 0)).await;
    make_market(&rig.postgres).await;
    let config = StrategyConfig {
        auto_activate: true,
        ..making_up(1)
    };
    rig.run(daily(&rig, config)).await;
    let failed = "SELECT (count(*) > 3)::text FROM system.job_runs WHERE status = 'FAILED'
        AND reason LIKE 'the universe is not published%'";
    while rig.text(failed).await != "true" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = "SELECT string_agg(state, ',') FROM strategy.runs";
    assert_eq!(
        rig.text(refused).await,
        "REFUSED",
        "the same input is refused once"
    );
    let alarms = "SELECT string_agg(event, ',' ORDER BY event) FROM system.logs";
    while rig.text(alarms).await != "JOB_FAILS,STRATEGY_REFUSED" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    rig.sql("INSERT INTO market.daily_bars SELECT symbol, '2026-08-03', open, high, low, close, volume,
            value, market_cap, shares, source FROM market.daily_bars WHERE trade_date = '2026-07-31'")
        .await;
    while !rig.runs("strategy").await.ends_with("2026-08-03 DONE") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        rig.text(PORTFOLIOS).await,
        "2026-08-03 ACTIVE",
        "it is activated by itself"
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_popular_list_that_is_too_old_does_not_count_and_is_told_of() {
    let mut rig = Rig::start(date(LAST).at(16, 30, 0, 0)).await;
    make_market(&rig.postgres).await;
    rig.sql(
        "INSERT INTO market.stock_rankings (category, market, rank, symbol, collected_on, source)
         VALUES ('POPULAR', 'KOSPI', 1, '100002', '2026-07-29', 'IMPORT'),
             ('POPULAR', 'KOSDAQ', 1, '100001', '2026-07-30', 'IMPORT')",
    )
    .await;
    rig.run(daily(&rig, making_up(1))).await;
    rig.until_runs("strategy", "2026-07-31 DONE").await;
    let told = "SELECT string_agg(level || ' ' || message, ',') FROM system.logs
        WHERE event = 'STRATEGY_RANKINGS_OLD'";
    assert_eq!(
        rig.text(told).await,
        "WARNING strategy daily of 2026-07-31: the newest POPULAR lists are too old to count: \
         KOSPI of 2026-07-29"
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_few_issues_are_listed_there_is_no_strategy() {
    let mut rig = Rig::start(date("2026-07-31").at(17, 0, 0, 0)).await;
    rig.sql("INSERT INTO market.stocks (symbol, name, market) VALUES ('005930', 'x', 'KOSPI')")
        .await;
    rig.run(daily(&rig, StrategyConfig::default())).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(rig.runs("strategy").await, "");
    assert_eq!(
        rig.text("SELECT string_agg(state, ',') FROM strategy.runs")
            .await,
        ""
    );
    rig.stop().await;
}

/// Does what is asked for, until the token.
fn serve_requests(world: &World) -> (CancellationToken, JoinHandle<()>) {
    let requests = RunRequests {
        postgres: world.postgres.clone(),
        config: world.config.clone(),
    };
    let stop = CancellationToken::new();
    let running = task::spawn("requests", requests.run(stop.clone()));
    (stop, running)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_asks_for_is_run_and_says_what_became_of_it() {
    let world = World::start().await;
    world
        .sql(
            "INSERT INTO strategy.run_requests (request_id, as_of, asked_by, state) VALUES
                  ('00000000-0000-4000-8000-000000000001', '2026-07-30', 'kim', 'RUNNING'),
                  ('00000000-0000-4000-8000-000000000002', NULL, 'kim', 'ASKED'),
                  ('00000000-0000-4000-8000-000000000003', '2026-08-02', 'kim', 'ASKED')",
        )
        .await;
    let (stop, running) = serve_requests(&world);
    let open =
        "SELECT count(*)::text FROM strategy.run_requests WHERE state IN ('ASKED', 'RUNNING')";
    while world.text(open).await != "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let told = "SELECT string_agg(concat_ws(' ', q.state, r.as_of, r.trigger, r.state), ', '
            ORDER BY request_id)
        FROM strategy.run_requests q JOIN strategy.runs r USING (run_id)";
    let expected =
        "DONE 2026-07-30 API DONE, DONE 2026-07-31 API DONE, REFUSED 2026-08-02 API REFUSED";
    assert_eq!(text(&world.postgres, told).await, expected);
    let message = "SELECT message FROM strategy.run_requests WHERE state = 'REFUSED'";
    assert!(
        world
            .text(message)
            .await
            .starts_with("the universe is not published")
    );

    // One that cannot be run says so: here a row is wrong.
    world
        .sql("UPDATE market.daily_bars SET open = 'NaN' WHERE symbol = '100001'")
        .await;
    world
        .sql(
            "INSERT INTO strategy.run_requests (request_id, asked_by)
              VALUES ('00000000-0000-4000-8000-000000000004', 'kim')",
        )
        .await;
    while world.text(open).await != "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let failed = "SELECT message FROM strategy.run_requests WHERE state = 'FAILED'";
    assert!(
        world
            .text(failed)
            .await
            .starts_with("market.daily_bars, 100001 ")
    );
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_fails_waits_longer_each_time_is_given_up_and_blocks_none() {
    let world = World::start().await;
    // Somebody else runs: to be tried again. A day that is none, one that is tried for the last time and
    // one that the process never lived to see the end of come before.
    let other = world.postgres.client().await.unwrap();
    let lock = "SELECT pg_advisory_lock(hashtextextended('turnstile strategy runs', 0))";
    other.batch_execute(lock).await.unwrap();
    world
        .sql(
            "INSERT INTO strategy.run_requests (request_id, as_of, asked_by, state, attempts) VALUES
                  ('00000000-0000-4000-8000-000000000001', 'infinity', 'kim', 'ASKED', 0),
                  ('00000000-0000-4000-8000-000000000002', NULL, 'kim', 'ASKED', 11),
                  ('00000000-0000-4000-8000-000000000003', NULL, 'kim', 'RUNNING', 12),
                  ('00000000-0000-4000-8000-000000000004', NULL, 'kim', 'ASKED', 0)",
        )
        .await;
    let (stop, running) = serve_requests(&world);
    let of_last = |columns: &str| {
        format!(
            "SELECT concat_ws(' ', {columns}) FROM strategy.run_requests WHERE request_id::text LIKE '%4'"
        )
    };
    let stands = of_last("attempts, round(extract(epoch FROM due_ts - updated_ts)), message");
    let waits = |attempts: i32| {
        let pause = 1 << (attempts - 1);
        format!("{attempts} {pause} another run of a strategy is under way")
    };
    let tried = async {
        // Whichever attempt is seen while it waits, it does so as long as is its due.
        let mut waited = 0;
        for attempts in 1..=4 {
            let expected = waits(attempts);
            let goes_on = format!("{} ", attempts + 1);
            loop {
                let seen = world.text(&stands).await;
                if seen == expected || seen.starts_with(&goes_on) {
                    waited += usize::from(seen == expected);
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        waited
    };
    let waited = tokio::time::timeout(Duration::from_secs(120), tried).await;
    assert!(waited.unwrap() >= 2);
    let failed =
        "SELECT string_agg(concat_ws(' ', right(request_id::text, 1), attempts, message), '; '
            ORDER BY request_id)
        FROM strategy.run_requests WHERE state = 'FAILED'";
    let told = world.text(failed).await;
    assert!(
        told.starts_with(
            "1 1 strategy.run_requests, 00000000-0000-4000-8000-000000000001, as_of: "
        ),
        "{told}"
    );
    assert!(
        told.ends_with(
            "; 2 12 given up after 12 attempts: another run of a strategy is under way; \
             3 13 given up after 12 attempts: it never came to an end"
        ),
        "{told}"
    );

    let unlock = "SELECT pg_advisory_unlock_all()";
    other.batch_execute(unlock).await.unwrap();
    while world.text(&of_last("state")).await != "DONE" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.cancel();
    running.await.unwrap();
}
