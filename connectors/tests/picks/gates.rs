//! Gates as the database has their facts: each passes at its limit, and refuses or holds one step further.

use crate::world::World;

const EQUITY: &str = "UPDATE trade.account_equity SET";
const EXIT: &str = "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty,
        avg_price, entry_ts, status, closed_ts)
    VALUES ('aaaaaaaa-0000-4000-8000-000000000001', '50123456-01', '100030', 0, 1, 1, now(), 'CLOSED', now());
    INSERT INTO trade.exit_events (exit_event_id, position_id, account_id, symbol, exit_ts, exit_qty,
        original_qty, exit_avg_price, exit_reason_code, source, realized_pnl, realized_pnl_pct)
    VALUES ('aaaaaaaa-0000-4000-8000-000000000002', 'aaaaaaaa-0000-4000-8000-000000000001', '50123456-01',
        '100030', now(), 1, 1, 1, 'SL2', 'AUTO_EXIT', ";

/// The beginning of the day in Seoul.
const MIDNIGHT: &str =
    "date_trunc('day', now() AT TIME ZONE 'Asia/Seoul') AT TIME ZONE 'Asia/Seoul'";

/// What became of the one pick.
const VERDICT: &str =
    "SELECT coalesce((SELECT concat_ws(' ', decision, gate) FROM trade.pick_decisions),
    (SELECT 'HELD ' || gate FROM trade.pick_holds))";

/// Returns the SQL of a position.
fn held(symbol: &str, qty: i64, cost: i64) -> String {
    format!(
        "INSERT INTO trade.positions
            (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts)
         VALUES (gen_random_uuid(), '50123456-01', '{symbol}', {qty}, {qty}, {cost}, now())"
    )
}

/// Returns the SQL of a sale with this result, at a time, of a position that is still held.
fn sold(result: i64, at: &str) -> String {
    format!(
        "{};
         INSERT INTO trade.sale_results (sale_id, position_id, account_id, symbol, sold_ts, qty, price,
            avg_price, costs, realized_pnl)
         SELECT gen_random_uuid(), position_id, account_id, symbol, {at}, 1, 1, 1, 0, {result}
         FROM trade.positions WHERE symbol = '100030'",
        held("100030", 1, 1)
    )
}

/// Returns the SQL of a purchase of the first symbol so many seconds ago, with its last event.
fn bought(n: u8, seconds_ago: i64, event: &str) -> String {
    format!(
        "INSERT INTO trade.orders (order_id, action_key, account_id, symbol, side, intent_type, qty,
            order_type, limit_price, reason_code, price, level, decided_us, explanation, created_ts)
         VALUES ('bbbbbbbb-0000-4000-8000-00000000000{n}', 'k{n}', '50123456-01', '100010', 'BUY', 'ENTRY',
            10, 'LMT', 100000, 'MANUAL', 100000, 100000, 1, '{{}}',
            clock_timestamp() - interval '{seconds_ago} s');
         INSERT INTO trade.order_events (order_id, status, filled_qty)
         VALUES ('bbbbbbbb-0000-4000-8000-00000000000{n}', {event});"
    )
}

/// Returns the SQL of a candidate of the first symbol.
fn candidate(state: &str) -> String {
    format!(
        "{EXIT} 0, 0);
         INSERT INTO trade.reentry_candidates (candidate_id, exit_event_id, symbol, origin_position_id,
            exit_reason_code, exit_ts, exit_price, original_qty, state)
         VALUES (gen_random_uuid(), 'aaaaaaaa-0000-4000-8000-000000000002', '100010',
            'aaaaaaaa-0000-4000-8000-000000000001', 'SL2', now(), 1, 1, '{state}')"
    )
}

/// What is done before the look at a pick of `100010`, and what comes of that.
struct Case {
    sql: String,
    expected: &'static str,
}

fn case(sql: impl Into<String>, expected: &'static str) -> Case {
    let sql = sql.into();
    Case { sql, expected }
}

/// Judges the pick in each of these worlds.
async fn judge(world: World, cases: Vec<Case>) {
    for Case { sql, expected } in cases {
        world.again().await;
        world.sql(&sql).await;
        world.send(3002, "a", &["('100010', 0.9, 'HIGH', 1)"]).await;
        world.look().await;
        let reason = "SELECT concat((SELECT reason FROM trade.pick_decisions),
            (SELECT reason FROM trade.pick_holds))";
        let (verdict, reason) = (world.text(VERDICT).await, world.text(reason).await);
        assert_eq!(verdict, expected, "{sql}: {reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stops_or_is_not_known_holds() {
    let world = World::start().await;
    judge(
        world,
        vec![
        case(
            "UPDATE system.emergency_stop SET is_enabled = true, updated_by = 'kim'",
            "HELD CONTROL",
        ),
        case("DELETE FROM system.emergency_stop", "HELD CONTROL"),
        case(
            "UPDATE trade.exit_control SET mode = 'PAUSE_PROFIT', updated_by = 'kim'",
            "HELD CONTROL",
        ),
        case("DELETE FROM trade.exit_control", "HELD CONTROL"),
        case(
            "INSERT INTO trade.exit_pauses (reason, message) VALUES ('BROKER_DOWN', 'away')",
            "HELD CONTROL",
        ),
        case(
            format!("{EQUITY} asof_ts = now() - interval '301 s'"),
            "HELD EQUITY",
        ),
        case(
            format!("{EQUITY} asof_ts = now() - interval '240 s'"),
            "PLACED",
        ),
        case(
            format!("{EQUITY} asof_ts = now() + interval '5 minutes'"),
            "HELD EQUITY",
        ),
        case("DELETE FROM trade.account_equity", "HELD EQUITY"),
        // Nobody has said what may be lost.
        case("DELETE FROM system.risk_profile", "HELD CONTROL"),
        case("DELETE FROM system.risk_limits", "HELD CONTROL"),
        case(
            "UPDATE system.risk_limits SET active_to = now(), updated_by = 'kim'",
            "HELD CONTROL",
        ),
        case(
            "UPDATE system.risk_limits
             SET active_from = now() + interval '1 hour', updated_by = 'kim'",
            "HELD CONTROL",
        ),
        // Nobody knows what it would cost.
        case(
            "INSERT INTO market.stocks (symbol, name, market) VALUES ('100040', 'four', 'KOSPI');
             INSERT INTO trade.manual_entries (request_id, symbol, qty, asked_by)
             VALUES (gen_random_uuid(), '100040', 1, 'kim')",
            "HELD EQUITY",
        ),
    ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_has_to_be_fresh() {
    let price = |set: &str| {
        format!("UPDATE market.best_prices SET logical_us = 2, {set} WHERE symbol = '100010'")
    };
    let world = World::start().await;
    judge(
        world,
        vec![
            case(
                price("received_ts = clock_timestamp() - interval '5 s'"),
                "HELD PRICE",
            ),
            case(
                price("received_ts = clock_timestamp() + interval '500 ms'"),
                "PLACED",
            ),
            // Not known to be fresh: of a time that has not come.
            case(
                price("received_ts = clock_timestamp() + interval '10 s'"),
                "HELD PRICE",
            ),
            case(price("fresh_until = clock_timestamp()"), "HELD PRICE"),
            case(price("stale_reason = 'WS_TIMEOUT'"), "HELD PRICE"),
            case(
                "DELETE FROM market.best_prices WHERE symbol = '100010'",
                "HELD PRICE",
            ),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_the_account_pass_at_the_limit_and_refuse_a_won_further() {
    // The pick takes 29 shares of 100,500: 2,914,500 of 80 million.
    let world = World::start().await;
    judge(
        world,
        vec![
            case(
                held("100020", 1, 1)
                    + "; DELETE FROM market.best_prices WHERE symbol = '100020';
            UPDATE trade.positions SET avg_price = 77085500",
                "PLACED",
            ),
            case(
                held("100020", 1, 1)
                    + "; DELETE FROM market.best_prices WHERE symbol = '100020';
            UPDATE trade.positions SET avg_price = 77085501",
                "REFUSED EXPOSURE",
            ),
            // A request that waits, and what an order may still buy, count like holdings.
            case(
                "INSERT INTO trade.manual_entries (request_id, symbol, qty, limit_price, asked_by)
             VALUES (gen_random_uuid(), '100020', 1, 77085501, 'kim')",
                "REFUSED EXPOSURE",
            ),
            case(
                bought(1, 1, "'PARTIAL', 3").replace("'100010'", "'100020'")
                    + &held("100030", 1, 1)
                    + "; DELETE FROM market.best_prices WHERE symbol = '100030';
                   UPDATE trade.positions SET avg_price = 77085500 - 699999",
                "REFUSED EXPOSURE",
            ),
            // At 0.5 % above it one share costs all that a pick may.
            case("UPDATE market.best_prices SET price = 2985000", "PLACED"),
            case(
                "UPDATE market.best_prices SET price = 2990000",
                "REFUSED SYMBOL",
            ),
            // The limit of risk in force is stricter than that of picks.
            case(sold(-3_000_000, "now()"), "PLACED"),
            case(sold(-3_000_001, "now()"), "REFUSED DAILY_LOSS"),
            // Lost before midnight in Seoul, though the position is closed today.
            case(
                sold(-3_000_001, &format!("{MIDNIGHT} - interval '1 s'"))
                    + "; "
                    + EXIT
                    + "-3000001, 0)",
                "PLACED",
            ),
            case(sold(-3_000_001, MIDNIGHT), "REFUSED DAILY_LOSS"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stricter_of_the_limits_of_risk_and_of_picks_bounds_the_loss_of_the_day() {
    let mut world = World::start().await;
    for (profile, own, most) in [
        ("DEFAULT", 50_000, 3_000_000),
        ("CONSERVATIVE", 50_000, 2_000_000),
        ("AGGRESSIVE", 50_000, 5_000_000),
        ("AGGRESSIVE", 40_000, 4_000_000),
        ("DEFAULT", 10_000, 1_000_000),
    ] {
        world.config.limits.daily_loss_max = own;
        for (lost, expected) in [(most, "PLACED"), (most + 1, "REFUSED DAILY_LOSS")] {
            world.again().await;
            let choice = "UPDATE system.risk_profile SET updated_by = 'kim', profile =";
            let sale = sold(-lost, "now()");
            world.sql(&format!("{choice} '{profile}'; {sale}")).await;
            world.send(3002, "a", &["('100010', 0.9, 'HIGH', 1)"]).await;
            world.look().await;
            let verdict = world.text(VERDICT).await;
            assert_eq!(verdict, expected, "{profile}: own {own}, lost {lost}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_is_not_bought_often_or_twice() {
    let mut world = World::start().await;
    // Else what is held or being bought leaves no room for one pick more.
    world.config.size = 10_000;
    let filled = "'FILLED', 10";
    let mut cases = vec![
        // One that ended without a share was no purchase.
        case(bought(1, 1, "'REJECTED', 0"), "PLACED"),
        case(bought(1, 1_900, "'SUBMITTED', 0"), "REFUSED DUPLICATE"),
        // One of last week that has not ended can still be filled.
        case(bought(1, 6 * 86_400, "'NEW', 0"), "REFUSED DUPLICATE"),
        case(held("100010", 1, 1), "REFUSED DUPLICATE"),
        case(candidate("COOLDOWN"), "REFUSED DUPLICATE"),
        case(candidate("READY"), "REFUSED DUPLICATE"),
        case(candidate("EXPIRED"), "PLACED"),
    ];
    // Purchases count that were made today: in its first hour there cannot have been three, and another
    // day may begin after its last minutes.
    let is_full = "SELECT (extract(epoch FROM now() AT TIME ZONE 'Asia/Seoul')::bigint % 86400
        BETWEEN 3600 AND 86100)::text";
    if world.text(is_full).await == "true" {
        let old = |n, seconds_ago| bought(n, seconds_ago, filled);
        cases.extend([
            case(old(1, 1_801), "PLACED"),
            case(old(1, 1_700), "HELD SPACING"),
            case(old(1, 1_900) + &old(2, 1_850), "PLACED"),
            case(
                old(1, 1_950) + &old(2, 1_900) + &old(3, 1_850),
                "REFUSED ENTRIES",
            ),
        ]);
    }
    judge(world, cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pick_is_not_bought_above_what_its_producers_would_pay() {
    let world = World::start().await;
    for (most, expected) in [
        ("100000", "PLACED 100000.0000"),
        ("100450", "PLACED 100400.0000"),
        ("200000", "PLACED 100500.0000"),
        ("99900", "HELD CONSTRAINT"),
    ] {
        world.again().await;
        let run = "INSERT INTO trade.pick_runs (producer_id, run_id, asof_ts, sent_by, body_digest)
            VALUES (3002, 'a', now(), 'test', repeat('a', 64));";
        let pick = format!(
            "INSERT INTO trade.picks (pick_run_id, symbol, side, score, confidence, rank, price_max)
             SELECT id, '100010', 'LONG', 1, 'HIGH', 1, {most} FROM trade.pick_runs"
        );
        world.sql(&format!("{run} {pick}")).await;
        world.look().await;
        let verdict = "SELECT coalesce(
                (SELECT concat_ws(' ', decision, limit_price) FROM trade.pick_decisions),
                (SELECT 'HELD ' || gate FROM trade.pick_holds))";
        assert_eq!(world.text(verdict).await, expected, "{most}");
    }
}
