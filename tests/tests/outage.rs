//! The broker away: prices of Naver, a pause of its own, and the way back.

use serde_json::{Value, json};
use tokio::time::Instant;
use turnstile_tests::{Api, Stock, System, eventually};

const SYMBOL: &str = "005930";
const OTHER: &str = "000660";

fn stocks() -> [Stock<'static>; 2] {
    [SYMBOL, OTHER].map(|symbol| Stock {
        symbol,
        close: 100_000,
        held: 100,
    })
}

fn rules() -> Value {
    json!({"hard_stop": {"pnl": -0.07}, "sl2": {"pnl": -0.05}})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_pauses_exits_judges_hard_stops_on_naver_and_ends_by_itself() {
    let system = System::start(&stocks(), "").await;
    system.exit_rules(rules()).await;
    let stream = system.stream("").await;
    for symbol in [SYMBOL, OTHER] {
        system.trade(symbol, 100_000).await;
    }
    system.counts("SELECT count(*) FROM market.prices", 2).await;

    system.post("/faults", json!({"kis_down": true})).await;
    let began = Instant::now();
    // Below the stop, and below the hard stop; the stream says nothing of either.
    system.trade(SYMBOL, 94_000).await;
    system.trade(OTHER, 92_000).await;
    let naver = "SELECT count(DISTINCT symbol) FROM market.prices WHERE source = 'NAVER'";
    system.counts(naver, 2).await;
    println!(
        "Naver's prices after {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let told = "SELECT count(*) FROM system.logs WHERE event = 'BROKER_DOWN'";
    system.counts(told, 1).await;
    let decided =
        "SELECT string_agg(symbol || ' ' || reason_code, ', ' ORDER BY symbol) FROM trade.orders";
    eventually("only the hard stop is decided", async || {
        system.one::<Option<String>>(decided, &[]).await.as_deref() == Some("000660 HARDSTOP")
    })
    .await;
    let withheld = "SELECT count(*) FROM trade.exit_withheld
        WHERE symbol = '005930' AND reason = 'SL2' AND why = 'MODE'";
    system.counts(withheld, 1).await;
    let ended = "SELECT count(*) FROM trade.exit_events";
    assert_eq!(system.one::<i64>(ended, &[]).await, 0);

    system.post("/faults", json!({"kis_down": false})).await;
    let back = "SELECT count(*) FROM system.logs WHERE event = 'BROKER_BACK'";
    system.counts(back, 1).await;
    system
        .counts("SELECT count(*) FROM trade.exit_pauses", 0)
        .await;
    system.trade(SYMBOL, 93_900).await;
    system.counts(ended, 2).await;
    let sold: i64 = system
        .one("SELECT sum(qty)::bigint FROM trade.executions", &[])
        .await;
    assert_eq!(sold, 200, "each once");
    let mode: String = system.one("SELECT mode FROM trade.exit_control", &[]).await;
    assert_eq!(mode, "RUNNING", "the operator's mode was left alone");
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_manual_order_mode_what_people_ask_for_waits_for_the_broker_and_can_be_withdrawn() {
    let bought = Stock {
        symbol: "000270",
        close: 50_000,
        held: 0,
    };
    let [one, other] = stocks();
    let system = System::start(&[one, other, bought], "").await;
    system.exit_rules(rules()).await;
    let stream = system.stream("").await;
    for symbol in [SYMBOL, OTHER] {
        system.trade(symbol, 100_000).await;
    }
    system.counts("SELECT count(*) FROM market.prices", 2).await;
    let (program, url) = system.bff().await;
    let api = Api::new(program, url);
    let shown = async |path: &str| api.get(path).await.1["data"].clone();
    assert_eq!(shown("/exit/control").await["effective_mode"], "RUNNING");

    system.post("/faults", json!({"kis_down": true})).await;
    eventually("manual-order mode is shown", async || {
        let control = shown("/exit/control").await;
        control["effective_mode"] == "PAUSE_ALL" && control["pauses"] == json!(["BROKER_DOWN"])
    })
    .await;
    assert_eq!(shown("/exit/control").await["mode"], "RUNNING");
    system.trade(OTHER, 92_000).await;
    let held: String = system
        .one(
            "SELECT position_id::text FROM trade.positions WHERE symbol = $1",
            &[&SYMBOL],
        )
        .await;
    let sale = json!({"qty": 10, "asked_by": "kim", "idempotency_key": "s"});
    let sell = async || api.post(&format!("/positions/{held}/sell"), &sale).await.1["data"].clone();
    let purchase = json!({"symbol": "000270", "side": "BUY", "qty": 1, "limit_price": 50_000,
        "asked_by": "kim", "idempotency_key": "b"});
    let buy = async || api.post("/orders", &purchase).await.1["data"].clone();
    eventually("the sale is decided", async || {
        sell().await["state"] == "ORDERED"
    })
    .await;
    eventually("the purchase is an order", async || {
        buy().await["state"] == "ORDERED"
    })
    .await;
    eventually("the hard stop waits beside the sale by hand", async || {
        shown("/exit/pauses").await[0]["stops_waiting"] == 2
    })
    .await;
    for request in [sell().await, buy().await] {
        let path = format!("/orders/{}", request["order_id"].as_str().unwrap());
        assert_eq!(shown(&path).await["status"], "NEW", "{request}");
    }
    assert_eq!(system.orders_sent().await, 0);
    let cancel = format!(
        "/orders/{}/cancel",
        buy().await["order_id"].as_str().unwrap()
    );
    let asked = json!({"asked_by": "kim", "idempotency_key": "c"});
    assert_eq!(api.post(&cancel, &asked).await.0, 200);
    let withdrawn =
        "SELECT count(*) FROM trade.orders_now WHERE side = 'BUY' AND status = 'CANCELLED'";
    system.counts(withdrawn, 1).await;

    system.post("/faults", json!({"kis_down": false})).await;
    eventually("the mode is the operator's again", async || {
        shown("/exit/control").await["effective_mode"] == "RUNNING"
    })
    .await;
    assert_eq!(shown("/exit/pauses").await, json!([]));
    let sold = "SELECT count(*) FROM trade.orders_now WHERE side = 'SELL' AND status = 'FILLED'";
    system.counts(sold, 2).await;
    assert_eq!(system.orders_sent().await, 2, "the purchase never left");
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_symbol_is_confirmed_and_not_stale() {
    let system = System::start(&stocks(), "").await;
    system.exit_rules(rules()).await;
    let stream = system.stream("").await;
    for symbol in [SYMBOL, OTHER] {
        system.trade(symbol, 100_000).await;
    }
    // Longer than a price may be old without being confirmed.
    let confirmed = "SELECT count(*) FROM system.engine_events WHERE kind = 'confirmed'";
    eventually("confirmed again and again", async || {
        system.one::<i64>(confirmed, &[]).await >= 8
    })
    .await;
    let stale = "SELECT count(*) FROM system.logs WHERE event = 'price_stale'";
    assert_eq!(system.one::<i64>(stale, &[]).await, 0);
    // The broker may have been asked before the first trades.
    let ticks = "SELECT count(*) FROM market.prices";
    let count = system.one::<i64>(ticks, &[]).await;
    assert!(count <= 4, "a confirmation is no tick, were {count}");

    // What the stream does not bring, the broker is asked for.
    system.post("/faults", json!({"stop_quotes": true})).await;
    system.trade(SYMBOL, 94_000).await;
    let asked = "SELECT count(*) FROM market.prices WHERE source = 'KIS_REST'";
    system.counts(asked, 1).await;
    system
        .counts("SELECT count(*) FROM trade.exit_events", 1)
        .await;
    stream.stop().await;
    system.stop().await;
}
