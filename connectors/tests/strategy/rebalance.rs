//! What a rebalance trades, and what it leaves.

use std::time::Duration;

use turnstile_connectors::execution::SessionSource;
use turnstile_connectors::jobs::{Counts, Job};
use turnstile_connectors::postgres::{Actor, Postgres};
use turnstile_connectors::redis::{Cache, RedisConfig};
use turnstile_connectors::rows::load;
use turnstile_connectors::strategy::{
    Asked, Days, Rebalance, RebalanceDays, Scope, Trigger, activate, run,
};

use crate::rig::{ACCOUNT, Rig};
use crate::world::{LAST, STRATEGY, config, date, make_market};

/// A Monday.
const DAY: &str = "2026-08-03";
/// Names that nobody wants: a third of the market is weak.
const SOLD: &str = "100003";
const KEPT: &str = "100006";
const LEAVING: &str = "100009";

const PRICES: &str = "INSERT INTO market.best_prices
        (symbol, price, source, received_ts, session, fresh_until, logical_us)
    SELECT symbol, close, 'KIS_WS', now(), 'REGULAR', now() + interval '1 hour', 1
    FROM market.daily_bars WHERE trade_date = '2026-07-31'";
const EQUITY: &str = "INSERT INTO trade.account_equity (account_id, equity, cash, asof_ts)
    VALUES ('50123456-01', 1000000000, 200000000, clock_timestamp())
    ON CONFLICT (account_id) DO UPDATE SET asof_ts = EXCLUDED.asof_ts";

fn rebalance(rig: &Rig, on: RebalanceDays) -> Rebalance {
    let mut config = config();
    config.rebalance.on = on;
    Rebalance {
        postgres: rig.postgres.clone(),
        session: rig.clock.clone(),
        calendar: rig.calendar.clone(),
        config,
        account: ACCOUNT.to_owned(),
    }
}

/// Puts a portfolio in force. Returns its names by rank.
async fn portfolio(postgres: &Postgres) -> Vec<String> {
    make_market(postgres).await;
    let asked = Asked {
        strategy_id: STRATEGY.to_owned(),
        trigger: Trigger::Cli,
        asked_by: "kim".to_owned(),
        days: Days::One(date(LAST)),
        scope: Scope::All,
        again: false,
    };
    let days = run(postgres, &config().limits, &asked, &|_told| {}).await;
    let portfolio = days.unwrap()[0].portfolio.unwrap();
    let cache = Cache::new(&RedisConfig::default()).unwrap();
    activate(postgres, &cache, portfolio, "kim", None, &Actor::default())
        .await
        .unwrap();
    let client = postgres.client().await.unwrap();
    let names = "SELECT symbol FROM strategy.portfolio_holdings ORDER BY rank";
    let rows = client.query(names, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

fn position(symbol: &str, qty: i64, mode: &str) -> String {
    format!(
        "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price,
             entry_ts, strategy_id, exit_mode)
         VALUES (md5('{symbol}')::uuid, '{ACCOUNT}', '{symbol}', {qty}, {qty}, 10000, now(),
             '{STRATEGY}', '{mode}')"
    )
}

/// A rebalance that has asked to sell what nobody wants, and waits for it.
async fn selling() -> (Rig, Vec<String>) {
    let rig = Rig::start(date(DAY).at(10, 0, 0, 0)).await;
    let names = portfolio(&rig.postgres).await;
    rig.sql(PRICES).await;
    rig.sql(EQUITY).await;
    rig.sql(&position(SOLD, 5_000, "ENABLED")).await;
    rig.sql(&position(KEPT, 5_000, "DISABLED")).await;
    rig.sql(&position(LEAVING, 5_000, "ENABLED")).await;
    rig.sql(&format!(
        "INSERT INTO trade.manual_exits (request_id, position_id, symbol, qty, asked_by)
         VALUES (gen_random_uuid(), md5('{LEAVING}')::uuid, '{LEAVING}', 1, 'kim')"
    ))
    .await;
    rig.sql(&format!(
        "INSERT INTO trade.manual_entries (request_id, symbol, qty, asked_by, strategy_id)
         VALUES (gen_random_uuid(), '{}', 1, 'kim', '{STRATEGY}')",
        names[0]
    ))
    .await;
    rig.sql(&position(&names[1], 10, "MANUAL_ONLY")).await;
    (rig, names)
}

/// Runs the job until `condition`, which is true in the end, holds or the job is over.
async fn run_until(rig: &Rig, job: &Rebalance, condition: &str) {
    let looked = async {
        while rig.text(condition).await != "true" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let counts = Counts::default();
    let today = rig.clock.market().date;
    let both = async {
        tokio::select! {
            done = job.run(today, &counts) => drop(done.unwrap()),
            () = looked => {}
        }
    };
    tokio::time::timeout(Duration::from_secs(60), both)
        .await
        .unwrap();
    assert_eq!(rig.text(condition).await, "true", "{condition}");
}

async fn line(rig: &Rig, symbol: &str) -> String {
    rig.text(&format!(
        "SELECT side || ' ' || qty || ' ' || coalesce(skipped, '-') FROM strategy.rebalance_lines
         WHERE symbol = '{symbol}'"
    ))
    .await
}

const HAS_BEGUN: &str = "SELECT (count(*) = 1)::text FROM strategy.rebalances";
const IS_DONE: &str = "SELECT (state = 'DONE')::text FROM strategy.rebalances";

#[tokio::test(flavor = "multi_thread")]
async fn a_portfolio_waits_for_what_holds_trading_back() {
    let rig = Rig::start(date(DAY).at(9, 9, 59, 0)).await;
    portfolio(&rig.postgres).await;
    let job = rebalance(&rig, RebalanceDays::FirstOfWeek);
    let has_work = async |day: &str| job.has_work(date(day)).await.unwrap();
    assert!(!has_work(DAY).await, "a second early");
    rig.at(date(DAY).at(9, 10, 0, 0));
    assert!(has_work(DAY).await);
    assert!(!has_work("2026-08-04").await, "Tuesday");

    let mode = |mode| format!("UPDATE trade.exit_control SET mode = '{mode}', updated_by = 'kim'");
    let stop = |is_set| {
        format!(
            "UPDATE system.emergency_stop SET is_enabled = {is_set}, reason = 'x', updated_by = 'kim'"
        )
    };
    for (hold, lift) in [
        (mode("PAUSE_PROFIT"), mode("RUNNING")),
        (mode("EMERGENCY_FLATTEN"), mode("RUNNING")),
        (
            "INSERT INTO trade.exit_pauses (reason, message) VALUES ('BROKER_DOWN', 'x')".into(),
            "DELETE FROM trade.exit_pauses".into(),
        ),
        (stop(true), stop(false)),
        (
            "DELETE FROM system.emergency_stop".into(),
            "INSERT INTO system.emergency_stop (reason, updated_by) VALUES ('x', 'kim')".into(),
        ),
    ] {
        rig.sql(&hold).await;
        assert!(!has_work(DAY).await, "{hold}");
        rig.sql(&lift).await;
        assert!(has_work(DAY).await, "{lift}");
    }
    // What was in force when it was looked at is not when it begins.
    rig.sql("UPDATE strategy.portfolios SET status = 'ARCHIVED', archived_ts = now(), version = 3")
        .await;
    assert!(!has_work(DAY).await);
    let counts = Counts::default();
    job.run(date(DAY), &counts).await.unwrap();
    let none = "SELECT count(*)::text FROM strategy.rebalances";
    assert_eq!(rig.text(none).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_or_under_way_stays_and_what_has_changed_meanwhile_counts() {
    let (rig, names) = selling().await;
    let job = rebalance(&rig, RebalanceDays::EveryDay);
    run_until(&rig, &job, HAS_BEGUN).await;
    assert_eq!(line(&rig, SOLD).await, "SELL 5000 -");
    assert_eq!(line(&rig, KEPT).await, "NONE 0 EXIT_MODE");
    assert_eq!(line(&rig, LEAVING).await, "NONE 0 ACTIVE_EXIT");
    assert_eq!(line(&rig, &names[0]).await, "NONE 0 UNDER_WAY");
    assert_eq!(line(&rig, &names[1]).await, "NONE 0 EXIT_MODE");
    assert!(line(&rig, &names[2]).await.starts_with("BUY"));

    // Of one that was to be bought a position ended meanwhile; another was bought by somebody else, and
    // of a third all but three shares.
    rig.sql(&position(&names[2], 10, "ENABLED")).await;
    rig.sql(&format!(
        "INSERT INTO trade.exit_events (exit_event_id, position_id, account_id, symbol, exit_ts,
             exit_qty, original_qty, exit_avg_price, exit_reason_code, source, realized_pnl,
             realized_pnl_pct)
         VALUES (gen_random_uuid(), md5('{0}')::uuid, '{ACCOUNT}', '{0}', now(), 10, 10, 9000, 'SL1',
             'AUTO_EXIT', -10000, -10);
         UPDATE trade.positions SET status = 'CLOSED', qty = 0, closed_ts = now() WHERE symbol = '{0}'",
        names[2]
    ))
    .await;
    for (symbol, missing) in [(&names[3], 0), (&names[4], 3)] {
        let target = format!(
            "SELECT (target - {missing})::text FROM strategy.rebalance_lines WHERE symbol = '{symbol}'"
        );
        let held = rig.text(&target).await.parse().unwrap();
        rig.sql(&position(symbol, held, "ENABLED")).await;
    }
    // All others have become dearer.
    rig.sql(&format!(
        "UPDATE market.best_prices SET price = price * 1.03 WHERE symbol <> '{}'",
        names[4]
    ))
    .await;
    rig.sql("UPDATE trade.manual_exits SET state = 'REFUSED' WHERE asked_by = 'rebalance'")
        .await;
    rig.sql(EQUITY).await;
    run_until(&rig, &job, IS_DONE).await;
    // No name is asked for beyond its weight at its limit, at which the risk gate weighs it.
    let weighed = "SELECT (bool_and(e.qty * e.limit_price <= 1000000000 * (l.weight / 1000000.0))
            AND bool_and((e.qty + 1) * e.limit_price > 1000000000 * (l.weight / 1000000.0)
                OR l.skipped = 'CASH')
            AND count(*) > 0)::text
        FROM trade.manual_entries e JOIN strategy.rebalance_lines l USING (request_id)
        WHERE l.held = 0 AND l.skipped IS NOT NULL AND l.qty > 3";
    assert_eq!(rig.text(weighed).await, "true");
    assert_eq!(line(&rig, &names[2]).await, "NONE 0 ACTIVE_EXIT");
    assert_eq!(line(&rig, &names[3]).await, "NONE 0 SMALL_WEIGHT");
    assert_eq!(line(&rig, &names[4]).await, "BUY 3 REDUCED");
    // 200 million of cash less fees, and a share that the operator asks for at market.
    let spent =
        "SELECT (sum(qty * limit_price) BETWEEN 150000000 AND 199400000 AND count(*) > 1)::text
        FROM trade.manual_entries WHERE reason_code = 'REBALANCE'";
    assert_eq!(rig.text(spent).await, "true");
    let short = "SELECT (count(*) > 0)::text FROM strategy.rebalance_lines WHERE skipped = 'CASH'";
    assert_eq!(rig.text(short).await, "true");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sold_in_part_meanwhile_is_not_bought_again() {
    let (rig, names) = selling().await;
    rig.sql(&position(&names[2], 40, "ENABLED")).await;
    let job = rebalance(&rig, RebalanceDays::EveryDay);
    run_until(&rig, &job, HAS_BEGUN).await;
    assert!(line(&rig, &names[2]).await.starts_with("BUY"));
    rig.sql(&format!(
        "UPDATE trade.positions SET qty = 20 WHERE symbol = '{}'",
        names[2]
    ))
    .await;
    rig.sql("UPDATE trade.manual_exits SET state = 'REFUSED' WHERE asked_by = 'rebalance'")
        .await;
    rig.sql(EQUITY).await;
    run_until(&rig, &job, IS_DONE).await;
    assert_eq!(line(&rig, &names[2]).await, "NONE 0 ACTIVE_EXIT");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_does_not_load_what_a_rebalance_of_another_day_asked_to_sell() {
    let (rig, _names) = selling().await;
    let job = rebalance(&rig, RebalanceDays::EveryDay);
    run_until(&rig, &job, HAS_BEGUN).await;
    let asked = async || {
        let client = rig.postgres.client().await.unwrap();
        let rows = load(&**client).await.unwrap().rows.into_iter();
        let asked = rows.filter(|(table, _row)| *table == "trade.manual_exits");
        let mut asked: Vec<_> = asked.map(|(_table, row)| row["asked_by"].clone()).collect();
        asked.sort_by_key(ToString::to_string);
        asked
    };
    assert_eq!(asked().await, ["kim", "rebalance"]);
    rig.sql("UPDATE trade.manual_exits SET created_ts = now() - interval '24 hours'")
        .await;
    assert_eq!(asked().await, ["kim"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebalance_does_not_outlive_its_day() {
    let (rig, names) = selling().await;
    let job = rebalance(&rig, RebalanceDays::EveryDay);
    run_until(&rig, &job, HAS_BEGUN).await;
    rig.at(date("2026-08-04").at(9, 0, 0, 0));
    assert!(job.has_work(date("2026-08-04")).await.unwrap());
    run_until(&rig, &job, IS_DONE).await;
    assert_eq!(line(&rig, SOLD).await, "SELL 5000 WITHDRAWN");
    assert_eq!(line(&rig, &names[2]).await, "NONE 0 NOT_ASKED");
    let states = "SELECT string_agg(asked_by || ' ' || state, ', ' ORDER BY asked_by)
        FROM trade.manual_exits";
    assert_eq!(
        rig.text(states).await,
        "kim ASKED, rebalance WITHDRAWN",
        "only its own requests are withdrawn"
    );
    let reason = "SELECT reason FROM strategy.rebalances";
    assert_eq!(rig.text(reason).await, "its day is over");
    let asked = "SELECT count(*)::text FROM trade.manual_entries WHERE reason_code = 'REBALANCE'";
    assert_eq!(rig.text(asked).await, "0");
}
