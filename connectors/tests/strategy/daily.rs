//! The daily job, and what the operator asks for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::execution::ToldDay;
use turnstile_connectors::jobs::Job;
use turnstile_connectors::redis::{Cache, RedisConfig};
use turnstile_connectors::strategy::{
    Asked, DailyStrategy, Days, MorningUniverse, RunRequests, Scope, StrategyConfig, Trigger, run,
    run_of_day,
};
use turnstile_connectors::task;

use crate::rig::Rig;
use crate::world::{LAST, STRATEGY, World, config, date, make_market, text};

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

#[tokio::test(flavor = "multi_thread")]
async fn the_last_trading_day_is_made_up_for_and_each_day_is_run_once() {
    // A Thursday morning: Wednesday is a holiday, Tuesday was missed, and the days before it.
    let mut rig = Rig::start(date("2026-07-30").at(10, 0, 0, 0)).await;
    make_market(&rig.postgres).await;
    let closed = ToldDay {
        is_open: false,
        is_settlement_day: None,
    };
    rig.calendar
        .tell(BTreeMap::from([(date("2026-07-29"), closed)]));
    rig.run(daily(&rig, config())).await;
    rig.until_runs("strategy", "2026-07-28 DONE").await;
    // A restart, also over the weekend, runs nothing twice.
    rig.kill().await;
    rig.at(date("2026-07-30").at(16, 29, 59, 0));
    rig.run(daily(&rig, config())).await;
    rig.at(date("2026-07-30").at(16, 30, 0, 0));
    rig.until_runs("strategy", "2026-07-28 DONE, 2026-07-30 DONE")
        .await;
    rig.at(date("2026-07-31").at(16, 30, 0, 0));
    let all = "2026-07-28 DONE, 2026-07-30 DONE, 2026-07-31 DONE";
    rig.until_runs("strategy", all).await;
    rig.at(date("2026-08-01").at(12, 0, 0, 0));
    rig.run(daily(&rig, config())).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(rig.runs("strategy").await, all);
    let drafts = "2026-07-28 DRAFT, 2026-07-30 DRAFT, 2026-07-31 DRAFT";
    assert_eq!(rig.text(PORTFOLIOS).await, drafts);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_without_bars_is_refused_until_they_come() {
    let mut rig = Rig::start(date("2026-08-03").at(16, 30, 0, 0)).await;
    make_market(&rig.postgres).await;
    let config = StrategyConfig {
        auto_activate: true,
        ..config()
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

fn morning(rig: &Rig) -> Vec<Arc<dyn Job>> {
    vec![Arc::new(MorningUniverse {
        postgres: rig.postgres.clone(),
        calendar: rig.calendar.clone(),
        config: config(),
        turn: Arc::default(),
    })]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_universe_of_a_morning_is_stored_alone_and_once() {
    // The Monday after the last session.
    let mut rig = Rig::start(date("2026-08-03").at(7, 59, 59, 0)).await;
    make_market(&rig.postgres).await;
    rig.run(morning(&rig)).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(rig.runs("universe").await, "", "a second early");
    // A start later in the day makes up for it.
    rig.kill().await;
    rig.at(date("2026-08-03").at(11, 0, 0, 0));
    rig.run(morning(&rig)).await;
    rig.until_runs("universe", "2026-08-03 DONE").await;
    rig.run(morning(&rig)).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(rig.runs("universe").await, "2026-08-03 DONE");
    let stored = "SELECT concat_ws(' ',
        (SELECT string_agg(as_of::text, ',') FROM strategy.universe_snapshots),
        (SELECT count(*) FROM strategy.universe_daily),
        (SELECT count(*) FROM strategy.signal_snapshots),
        (SELECT string_agg(state || ' ' || trigger, ',') FROM strategy.runs))";
    assert_eq!(rig.text(stored).await, "2026-07-31 62 0 DONE SCHEDULE");

    // It does not count as a run of all stages; that one counts as the universe of a morning.
    let none = run_of_day(&rig.postgres, STRATEGY, None).await.unwrap();
    assert_eq!(none, None);
    let asked = Asked {
        strategy_id: STRATEGY.to_owned(),
        trigger: Trigger::Cli,
        asked_by: "kim".to_owned(),
        days: Days::One(date(LAST)),
        scope: Scope::All,
        again: false,
    };
    let done = run(&rig.postgres, &config().limits, &asked, &|_told| {}).await;
    assert!(!done.unwrap()[0].is_known);
    let both = "2026-07-31,2026-07-31 124 1 DONE SCHEDULE,DONE CLI";
    assert_eq!(rig.text(stored).await, both);
    rig.sql("DELETE FROM system.job_runs").await;
    rig.run(morning(&rig)).await;
    rig.until_runs("universe", "2026-08-03 DONE").await;
    assert_eq!(rig.text(stored).await, both);
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
    rig.run(daily(&rig, config())).await;
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
