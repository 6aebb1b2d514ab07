//! Limits of risk that come near, and the levels of the account: events of their own.

use turnstile_tests::{ACCOUNT, Stock, System, Webhook, eventually};

use crate::rig::{a_while, monitoring, show_one};

const SYMBOL: &str = "005930";
const PRICE: i64 = 100_000;
/// Gauges are set as often.
const REPORTS: &str = "[risk]\nreport_every = \"1s\"\n";

/// Makes the sales of the day come to so much of the equity.
const RESULT: &str =
    "INSERT INTO trade.sale_results (sale_id, position_id, account_id, symbol, sold_ts,
        qty, price, avg_price, costs, realized_pnl)
    SELECT gen_random_uuid(), p.position_id, p.account_id, p.symbol, now(), 1, 1, 1, 0,
        round(e.equity * $1::text::numeric, 4)
            - (SELECT coalesce(sum(realized_pnl), 0) FROM trade.sale_results)
    FROM trade.positions p JOIN trade.account_equity e USING (account_id)
    WHERE e.account_id = $2
    ORDER BY e.asof_ts DESC LIMIT 1";

/// Makes the heaviest name use so much of its limit.
const USAGE: &str = "UPDATE system.risk_limits SET updated_by = 'test', single_max_pct =
        (SELECT round(largest_weight / $1::text::numeric, 4) FROM system.risk_reports
         WHERE largest_weight > 0 ORDER BY id DESC LIMIT 1)
    WHERE profile = 'DEFAULT'";

/// An account that holds `held` shares, once its risk is known.
async fn market(held: i64) -> (System, Webhook, turnstile_tests::Program) {
    let stock = Stock {
        symbol: SYMBOL,
        close: PRICE,
        held,
    };
    let system = System::start(&[stock], "").await;
    // Known from the first look on: an account that nobody knows is RED.
    let worth = "INSERT INTO trade.account_equity (account_id, equity, cash, asof_ts)
        VALUES ($1, 100000000 + $2::bigint, 100000000, clock_timestamp())";
    system.execute(worth, &[&ACCOUNT, &(held * PRICE)]).await;
    let webhook = Webhook::start().await;
    let settings = format!("{REPORTS}{}", monitoring(&webhook, ""));
    let stream = system.stream(&settings).await;
    system.trade(SYMBOL, PRICE).await;
    let known = "SELECT EXISTS (SELECT FROM system.risk_reports
        WHERE unknown IS NULL AND largest_weight > 0)";
    eventually("the account is known", async || {
        system.one::<bool>(known, &[]).await
    })
    .await;
    (system, webhook, stream)
}

/// The limit of a name comes near and goes again; at the end it is reached.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_nearly_used_up_raises_an_alarm_and_levels_are_told() {
    let (system, webhook, stream) = market(100).await;
    let used = async |part: &str| {
        system.execute(USAGE, &[&part]).await;
        a_while().await;
    };
    show_one(
        (&system, &webhook, "risk_usage"),
        "WARNING",
        async || used("0.90").await,
        async || used("0.60").await,
    )
    .await;
    let orange = webhook.wait("risk_orange", &["RAISED WARNING"]).await;
    assert!(orange.text.contains("SINGLE_WEIGHT"), "{}", orange.text);
    assert!(webhook.course("risk_red").is_empty(), "not that near");
    used("0.97").await;
    let red = webhook.wait("risk_red", &["RAISED CRITICAL"]).await;
    assert!(red.text.contains("SINGLE_WEIGHT"), "{}", red.text);
    stream.stop().await;
    system.stop().await;
}

/// A name that weighs more than twelve percent at its price, and less at another.
#[tokio::test(flavor = "multi_thread")]
async fn a_heavy_name_raises_an_alarm() {
    let (system, webhook, stream) = market(140).await;
    let price = async |price: i64| {
        system.trade(SYMBOL, price).await;
        a_while().await;
    };
    show_one(
        (&system, &webhook, "risk_single_weight"),
        "WARNING",
        async || price(PRICE).await,
        async || price(72_000).await,
    )
    .await;
    stream.stop().await;
    system.stop().await;
}

/// More than two percent are lost in a day that may lose five.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_has_lost_raises_an_alarm() {
    a_loss_raises("-0.022", 5, "risk_day_result", "risk_loss_buffer").await;
}

/// Of a loss of two percent that a day may bring, less than a fifth is left.
#[tokio::test(flavor = "multi_thread")]
async fn a_loss_that_leaves_little_raises_an_alarm() {
    a_loss_raises("-0.0165", 2, "risk_loss_buffer", "risk_day_result").await;
}

/// Shows that a day with this result, of which so many percent may be lost, raises `alarm` and not `other`.
async fn a_loss_raises(result: &str, most: i64, alarm: &str, other: &str) {
    let (system, webhook, stream) = market(100).await;
    let limit =
        "UPDATE system.risk_limits SET daily_loss_max_pct = $1::bigint, updated_by = 'test'";
    system.execute(limit, &[&most]).await;
    let come_to = async |part: &str| {
        system.execute(RESULT, &[&part, &ACCOUNT]).await;
        a_while().await;
    };
    show_one(
        (&system, &webhook, alarm),
        "WARNING",
        async || come_to(result).await,
        async || come_to("0").await,
    )
    .await;
    assert!(webhook.course(other).is_empty(), "{other}");
    stream.stop().await;
    system.stop().await;
}
