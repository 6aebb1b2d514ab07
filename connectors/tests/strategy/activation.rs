//! Which portfolio is in force.

use std::sync::Arc;

use turnstile_connectors::jobs::{Counts, Job, Outcome};
use turnstile_connectors::postgres::Actor;
use turnstile_connectors::strategy::{ActivateError, DailyStrategy, StrategyConfig, activate};
use uuid::Uuid;

use crate::world::{LAST, World, date};

const STANDS: &str =
    "SELECT string_agg(as_of || ' ' || status || ' ' || version, ', ' ORDER BY created_ts)
    FROM strategy.portfolios";

#[tokio::test(flavor = "multi_thread")]
async fn one_portfolio_is_in_force_and_the_one_before_is_archived() {
    let world = World::start().await;
    let put = async |portfolio: Uuid, why| {
        activate(
            &world.postgres,
            &world.cache,
            portfolio,
            "kim",
            why,
            &Actor::default(),
        )
        .await
    };
    let first = world.day("2026-07-30", false).await.portfolio.unwrap();
    let second = world.day(LAST, false).await.portfolio.unwrap();
    let done = put(first, None).await.unwrap();
    assert_eq!((done.strategy_id.as_str(), done.archived), ("daily", None));
    assert_eq!(
        world.text(STANDS).await,
        "2026-07-30 ACTIVE 2, 2026-07-31 DRAFT 1"
    );
    let error = put(first, None).await.unwrap_err();
    assert!(
        matches!(&error, ActivateError::NotDraft { status, .. } if status == "ACTIVE"),
        "{error}"
    );

    assert_eq!(
        put(second, Some("better")).await.unwrap().archived,
        Some(first)
    );
    assert_eq!(
        world.text(STANDS).await,
        "2026-07-30 ARCHIVED 3, 2026-07-31 ACTIVE 2"
    );
    let error = put(first, None).await.unwrap_err();
    assert!(
        matches!(&error, ActivateError::NotDraft { status, .. } if status == "ARCHIVED"),
        "{error}"
    );
    let unknown = put(Uuid::nil(), None).await.unwrap_err();
    assert!(matches!(unknown, ActivateError::Unknown(_)), "{unknown}");
    let who = "SELECT string_agg(activated_by || ' ' || coalesce(activation_reason, '-'), ', '
        ORDER BY created_ts) FROM strategy.portfolios";
    assert_eq!(world.text(who).await, "kim -, kim better");
    let logged = "SELECT count(*)::text FROM system.logs WHERE event = 'PORTFOLIO_ACTIVATED'";
    assert_eq!(world.text(logged).await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_activations_at_once_each_is_whole_and_one_is_in_force() {
    let world = World::start().await;
    let mut drafts = Vec::new();
    for _ in 0..4 {
        drafts.push(world.day(LAST, true).await.portfolio.unwrap());
    }
    let actor = Actor::default();
    let many = drafts.iter().chain(&drafts).map(|portfolio| {
        activate(
            &world.postgres,
            &world.cache,
            *portfolio,
            "kim",
            None,
            &actor,
        )
    });
    let mut activated = 0;
    for done in futures_util::future::join_all(many).await {
        match done {
            Ok(_) => activated += 1,
            Err(ActivateError::NotDraft { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(activated, 4);
    let stands = "SELECT string_agg(status, ',' ORDER BY status) FROM strategy.portfolios";
    assert_eq!(
        world.text(stands).await,
        "ACTIVE,ARCHIVED,ARCHIVED,ARCHIVED"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_beyond_the_hard_bounds_is_not_put_in_force() {
    let mut world = World::start().await;
    // No configuration is taken with these.
    world.config.limits.names_max = 4;
    world.config.limits.names_min = 4;
    world.config.limits.name_cap = 310_000;
    world.config.limits.min_cash = 0;
    let portfolio = world.day(LAST, false).await.portfolio.unwrap();
    let error = activate(
        &world.postgres,
        &world.cache,
        portfolio,
        "kim",
        None,
        &Actor::default(),
    )
    .await
    .unwrap_err();
    let text = error.to_string();
    let ActivateError::BeyondBounds { faults, .. } = error else {
        panic!("{text}");
    };
    assert_eq!(faults, ["5 to 20 names expected, was 4"], "{text}");
    assert!(text.contains("beyond the bounds"), "{text}");
    run_job(&world).await;
    assert_eq!(world.text(STANDS).await, "2026-07-31 DRAFT 1");
    let told = "SELECT level || ' ' || count(*) FROM system.logs
        WHERE event = 'PORTFOLIO_BEYOND_BOUNDS' GROUP BY level";
    assert_eq!(world.text(told).await, "WARNING 1");
}

/// Runs the daily job for the last day; it puts what it finds in force.
async fn run_job(world: &World) {
    let job = DailyStrategy {
        postgres: world.postgres.clone(),
        cache: world.cache.clone(),
        config: StrategyConfig {
            auto_activate: true,
            ..world.config.clone()
        },
        turn: Arc::default(),
    };
    let done = job.run(date(LAST), &Counts::default()).await.unwrap();
    assert_eq!(done, Outcome::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_replaces_a_portfolio_only_by_a_newer_one() {
    let world = World::start().await;
    let put = async |portfolio: Uuid| {
        let done = activate(
            &world.postgres,
            &world.cache,
            portfolio,
            "kim",
            None,
            &Actor::default(),
        )
        .await;
        done.unwrap();
    };
    let set_sector = async |sector: &str| {
        let symbol = "symbol = '100001'";
        let sql = format!("UPDATE market.stocks SET sector = '{sector}' WHERE {symbol}");
        world.sql(&sql).await;
    };
    // Two of one day, of different input; the later one is in force.
    set_sector("one").await;
    world.day(LAST, false).await;
    set_sector("other").await;
    put(world.day(LAST, false).await.portfolio.unwrap()).await;
    // The input is the former one again: the job finds its run, and leaves the later one in force.
    set_sector("one").await;
    run_job(&world).await;
    let stands = "2026-07-31 DRAFT 1, 2026-07-31 ACTIVE 2";
    assert_eq!(world.text(STANDS).await, stands);
    // A run of new input is later than both.
    set_sector("third").await;
    run_job(&world).await;
    let stands = "2026-07-31 DRAFT 1, 2026-07-31 ARCHIVED 3, 2026-07-31 ACTIVE 2";
    assert_eq!(world.text(STANDS).await, stands);
    // Nothing of that day comes after one of a later day, however late it was run.
    world
        .sql(
            "INSERT INTO market.daily_bars SELECT symbol, '2026-08-03', open, high, low, close, volume,
                 value, market_cap, shares, source
             FROM market.daily_bars WHERE trade_date = '2026-07-31'",
        )
        .await;
    put(world.day("2026-08-03", false).await.portfolio.unwrap()).await;
    set_sector("fourth").await;
    run_job(&world).await;
    let last = format!("{stands}, 2026-08-03 ACTIVE 2, 2026-07-31 DRAFT 1");
    let last = last.replace("2026-07-31 ACTIVE 2", "2026-07-31 ARCHIVED 3");
    assert_eq!(world.text(STANDS).await, last);
}
