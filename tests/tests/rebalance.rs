//! From the daily run to guarded positions, in the running system: a portfolio is computed, put in force,
//! and traded, sales first.

use serde_json::json;
use turnstile_tests::{Api, Program, Stock, System, eventually};

/// Names that the strategy finds; one more is held that it does not want.
const NAMES: [&str; 12] = [
    "100010", "100020", "100030", "100040", "100050", "100060", "100070", "100080", "100090",
    "100100", "100110", "100120",
];
const UNWANTED: &str = "900010";
const CLOSE: i64 = 20_000;

const LIMITS: &str = "[execution]\nsettle_delay = \"1s\"\npoll_idle = \"1s\"\nholdings_open = \"1s\"\n[strategy]\nat = \"23:59:59\"\n\
    [strategy.rebalance]\nenabled = true\nat = \"00:00:00\"\non = \"every-day\"\n\
    [strategy.limits]\nuniverse_min = 10\n";

/// The last weekday at the exchange.
const DAY: &str = "SELECT max(day)::date::text FROM generate_series(
        (now() AT TIME ZONE 'Asia/Seoul')::date - 3, (now() AT TIME ZONE 'Asia/Seoul')::date,
        interval '1 day') day
    WHERE extract(isodow FROM day) < 6";

async fn turnstile(system: &System, arguments: &[&str]) -> String {
    let config = system.config_file(LIMITS);
    let arguments = [&["--config", config.as_str()], arguments].concat();
    let log = system.folder().join("strategy.log");
    let (is_ok, output) = Program::start(&arguments, &system.environment(), &log)
        .output()
        .await;
    assert!(is_ok, "{output}");
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portfolio_in_force_becomes_guarded_positions() {
    let stock = |symbol, held| Stock {
        symbol,
        close: CLOSE,
        held,
    };
    let mut stocks: Vec<Stock<'_>> = NAMES.iter().map(|name| stock(name, 0)).collect();
    stocks.push(stock(UNWANTED, 500));
    let system = System::start(&stocks, "").await;
    system
        .execute("UPDATE trade.positions SET strategy_id = 'daily'", &[])
        .await;
    system
        .exit_rules(json!({"sl1": {"pnl": -0.05, "qty": 1.0}}))
        .await;
    let day: String = system.one(DAY, &[]).await;
    system.strong_market(&NAMES, &day, CLOSE).await;
    // Each of twelve names gets a twelfth of 80 %: exactly what the risk gate lets a name have, and three
    // together what it lets a sector have.
    let first = NAMES[..3].to_vec();
    let sector = "UPDATE market.stocks SET sector_source = 'IMPORT',
        sector = CASE WHEN symbol = ANY($1) THEN 'one' END";
    system.execute(sector, &[&first]).await;
    system
        .execute(
            "UPDATE system.risk_limits SET single_max_pct = 6.6666, sector_max_pct = 19.9998",
            &[],
        )
        .await;

    println!(
        "{}",
        turnstile(&system, &["strategy", "run", "--date", &day]).await
    );
    let ranked = "SELECT count(*) FROM strategy.ranked WHERE as_of = $1::text::date";
    assert_eq!(system.one::<i64>(ranked, &[&day]).await, 12);
    let portfolio: String = system
        .one("SELECT portfolio_id::text FROM strategy.portfolios", &[])
        .await;
    turnstile(&system, &["strategy", "activate", &portfolio]).await;

    let stream = system.stream(LIMITS).await;
    for stock in &stocks {
        system.trade(stock.symbol, CLOSE).await;
    }
    system
        .counts(
            "SELECT count(*) FROM strategy.rebalances WHERE state = 'DONE'",
            1,
        )
        .await;

    // What nobody wants is sold, before anything is bought.
    let sold = "SELECT count(*) FROM trade.exit_events WHERE symbol = '900010' AND exit_qty = 500";
    system.counts(sold, 1).await;
    // Purchases under their keys, within the turnover of a run; the rest says why it is not bought.
    let lines = "SELECT count(*) FROM strategy.rebalance_lines WHERE side = 'BUY'";
    let buys: i64 = system.one(lines, &[]).await;
    let all = "SELECT string_agg(l::text, E'\\n' ORDER BY place) FROM strategy.rebalance_lines l";
    let told: String = system.one(all, &[]).await;
    assert!((6..12).contains(&buys), "{told}");
    let bought = "SELECT count(*) FROM strategy.rebalance_lines l
        JOIN trade.orders_now o USING (action_key)
        JOIN trade.positions p ON p.symbol = l.symbol AND p.strategy_id = 'daily' AND p.status = 'OPEN'
        WHERE l.side = 'BUY' AND o.status = 'FILLED' AND o.reason_code = 'REBALANCE'
            AND p.qty = l.qty AND o.action_key = 'REBAL:' || l.portfolio_id || ':' || l.symbol || ':BUY'";
    eventually("everything is bought", async || {
        system.one::<i64>(bought, &[]).await == buys
    })
    .await;
    let order =
        "SELECT (SELECT max(e.ts) FROM trade.order_events e JOIN trade.orders o USING (order_id)
            WHERE o.side = 'SELL' AND e.status = 'FILLED')
        < (SELECT min(created_ts) FROM trade.orders WHERE side = 'BUY')";
    assert!(system.one::<bool>(order, &[]).await, "sales come first");
    // The risk gate has let every purchase through.
    let judged =
        "SELECT count(*) FILTER (WHERE is_approved), count(*) FILTER (WHERE NOT is_approved)
        FROM system.risk_checks WHERE action_key LIKE 'REBAL:%'";
    let judged = &system.query(judged, &[]).await[0];
    let (approved, refused): (i64, i64) = (judged.get(0), judged.get(1));
    assert_eq!((approved, refused), (buys, 0));
    let of_sector = "SELECT count(*) FROM strategy.rebalance_lines
        WHERE side = 'BUY' AND symbol = ANY($1) AND weight = 66666";
    assert_eq!(system.one::<i64>(of_sector, &[&first]).await, 3);
    let turnover = "SELECT sum(l.qty * l.price) <= r.equity * 0.6 FROM strategy.rebalance_lines l
        JOIN strategy.rebalances r USING (portfolio_id) WHERE l.side <> 'NONE' GROUP BY r.equity";
    assert!(system.one::<bool>(turnover, &[]).await, "30 % of turnover");
    let skipped = "SELECT count(*) FROM strategy.rebalance_lines
        WHERE side = 'NONE' AND skipped = 'TURNOVER'";
    assert!(system.one::<i64>(skipped, &[]).await >= 1);

    let (program, url) = system.bff().await;
    let api = Api::new(program, url);
    let (status, answer) = api.get(&format!("/portfolios/{portfolio}/rebalance")).await;
    let traded = &answer["data"];
    assert_eq!(
        (status, &traded["state"]),
        (200, &json!("DONE")),
        "{answer}"
    );
    assert_eq!(traded["lines"][0]["side"], "SELL");
    assert_eq!(traded["lines"][0]["filled_qty"], 500);
    assert_eq!(traded["lines"][1]["order_status"], "FILLED");
    api.stop().await;

    // Each is guarded: it has levels, and one that falls is sold.
    let guarded = "SELECT count(DISTINCT position_id) FROM trade.exit_levels
        JOIN trade.positions p USING (position_id) WHERE p.strategy_id = 'daily' AND p.status = 'OPEN'";
    system.counts(guarded, buys).await;
    let falling: String = system
        .one(
            "SELECT symbol FROM strategy.rebalance_lines WHERE side = 'BUY' ORDER BY place LIMIT 1",
            &[],
        )
        .await;
    system.trade(&falling, CLOSE * 94 / 100).await;
    let stopped = format!(
        "SELECT count(*) FROM trade.exit_events WHERE symbol = '{falling}' AND exit_reason_code = 'SL1'"
    );
    system.counts(&stopped, 1).await;

    // Nothing of it happens again.
    stream.stop().await;
    let orders: i64 = system.one("SELECT count(*) FROM trade.orders", &[]).await;
    // The job looks as soon as it starts, and no run of before tells it not to.
    let forget = "DELETE FROM system.job_runs WHERE job = 'rebalance'";
    system.execute(forget, &[]).await;
    let stream = system.stream(LIMITS).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let after: i64 = system.one("SELECT count(*) FROM trade.orders", &[]).await;
    assert_eq!(after, orders);
    stream.stop().await;
    system.stop().await;
}
