//! The broker's stream in trouble, through the running system: what the exchange delivered is stored
//! once and in order, prices go on, subscriptions come back, and exits are still decided.

use serde_json::{Value, json};
use turnstile_tests::{Program, Stock, System, eventually};

const HELD: &str = "005930";
const OTHER: &str = "000660";
const QUIET: &str = "035720";
const CLOSE: i64 = 100_000;
/// Patience in the proportions of the default: pings, then silence of the line, then of the broker.
const IMPATIENT: &str = "[kis.reconnect]\npause_min = \"100ms\"\nin_use_pause = \"300ms\"\n\
    [kis.stream]\nping_every = \"300ms\"\nread_deadline = \"1500ms\"\nmessage_deadline = \"1500ms\"\n\
    request_spacing = \"5ms\"\nanswer_timeout = \"1s\"\n";
/// A stream that nothing but a test ends.
const PATIENT: &str = "[kis.stream]\nrequest_spacing = \"5ms\"\n";
/// A stream that stays away for as long as a test looks at what stands in for it.
const AWAY: &str = "[kis.reconnect]\npause_min = \"4s\"\n[kis.stream]\nrequest_spacing = \"5ms\"\n";
/// Keep-alive of the simulator, so that a quiet session is told from a dead one.
const KEEP_ALIVE: &str = "keep_alive = { period = \"400ms\", timeout = \"60s\" }";

const STREAMED: &str = "SELECT count(*) FROM market.prices WHERE source = 'KIS_WS'";
const ASKED: &str = "SELECT count(*) FROM market.prices WHERE source = 'KIS_REST'";
const EXITS: &str = "SELECT count(*) FROM trade.exit_events";

struct Market {
    system: System,
    stream: Program,
}

impl Market {
    /// Starts the exchange with faults in force, and the stream job.
    async fn open(faults: Value, settings: &str) -> Self {
        let stocks = [HELD, OTHER, QUIET].map(|symbol| Stock {
            symbol,
            close: CLOSE,
            held: 100,
        });
        Self::open_with(&stocks, faults, settings).await
    }

    async fn open_with(stocks: &[Stock<'_>], faults: Value, settings: &str) -> Self {
        let system = System::start(stocks, KEEP_ALIVE).await;
        system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
        system.post("/faults", faults).await;
        let stream = system.start_stream(settings);
        let market = Self { system, stream };
        market.registered(1).await; // Notices, or more.
        market
    }

    /// Waits until the broker has one session with at least so many registrations.
    async fn registered(&self, count: usize) {
        let registrations = async || self.system.registrations().await;
        eventually("registered", async || registrations().await >= count).await;
    }

    /// Waits until so many sessions have been opened, and the last one streams.
    async fn reopened(&self, sessions: usize) {
        eventually("another session", async || {
            self.stream.log().matches("session open").count() >= sessions
        })
        .await;
        self.registered(4).await;
        let before = self.system.one::<i64>(STREAMED, &[]).await;
        self.system.trade(QUIET, CLOSE).await;
        self.system.counts(STREAMED, before + 1).await;
    }

    async fn fault(&self, fault: Value) {
        self.system.post("/faults", fault).await;
    }

    async fn trade_all(&self, won: i64) {
        for symbol in [HELD, OTHER, QUIET] {
            self.system.trade(symbol, won).await;
        }
    }

    /// Waits until the stream has stored every record that the exchange sent, and says that there
    /// is none more, and that they stand in the order of the exchange.
    async fn all_stored(&self) {
        eventually("what was sent is stored, and nothing else", async || {
            let stored = self.system.one::<i64>(STREAMED, &[]).await;
            // It may go on sending between the two.
            let status = self.system.get("/status").await;
            status["records_sent"].as_i64() == Some(stored)
        })
        .await;
        let out_of_order = "SELECT count(*) FROM (SELECT acml_volume - lag(acml_volume)
                OVER (PARTITION BY symbol ORDER BY logical_us) AS step
            FROM market.prices WHERE source = 'KIS_WS') s WHERE step <= 0";
        assert_eq!(self.system.one::<i64>(out_of_order, &[]).await, 0);
    }

    /// Lets the price of a symbol fall through its stop, and waits for the sale.
    async fn falls_and_is_sold(&self, symbol: &str) {
        let before = self.system.one::<i64>(EXITS, &[]).await;
        self.system.trade(symbol, 94_000).await;
        self.system.counts(EXITS, before + 1).await;
    }

    /// Ends with nothing lost, nothing sold twice and no alarm of a stale price.
    async fn close(self) {
        self.all_stored().await;
        let stale = "SELECT count(*) FROM system.logs WHERE event = 'price_stale'";
        assert_eq!(self.system.one::<i64>(stale, &[]).await, 0);
        let oversold = "SELECT count(*) FROM trade.positions WHERE qty < 0";
        assert_eq!(self.system.one::<i64>(oversold, &[]).await, 0);
        let (sold, ended): (i64, i64) = (
            self.system
                .one(
                    "SELECT coalesce(sum(qty), 0)::bigint FROM trade.executions",
                    &[],
                )
                .await,
            self.system.one(EXITS, &[]).await,
        );
        assert_eq!(sold, ended * 100, "each once");
        self.stream.stop().await;
        self.system.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_stream_is_replaced_by_queries_and_comes_back_with_its_subscriptions() {
    let market = Market::open(json!({}), AWAY).await;
    market.registered(4).await;
    for won in [100_000, 100_100, 99_900] {
        market.trade_all(won).await;
    }
    market.all_stored().await;
    market.fault(json!({"drop_connections": true})).await;
    // Nobody is told of it but those who ask.
    market.falls_and_is_sold(HELD).await;
    let fallen = |source| {
        format!(
            "SELECT count(*) FROM market.prices
             WHERE symbol = '{HELD}' AND last_price = 94000 AND source = '{source}'"
        )
    };
    assert_eq!(market.system.one::<i64>(&fallen("KIS_WS"), &[]).await, 0);
    assert!(market.system.one::<i64>(&fallen("KIS_REST"), &[]).await > 0);
    market.reopened(2).await;
    market.falls_and_is_sold(OTHER).await;
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_falls_silent_is_left_and_another_one_taken() {
    let market = Market::open(json!({}), IMPATIENT).await;
    market.registered(4).await;
    market.trade_all(100_000).await;
    market.all_stored().await;
    market.fault(json!({"mute_connections": true})).await;
    market.falls_and_is_sold(HELD).await;
    eventually("the silence is noticed", async || {
        market.stream.log().contains("silent for 1.5s")
    })
    .await;
    market.reopened(2).await;
    market.falls_and_is_sold(OTHER).await;
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_is_left_and_another_one_taken() {
    let market = Market::open(json!({}), IMPATIENT).await;
    market.registered(4).await;
    market.trade_all(100_000).await;
    market.all_stored().await;
    market.fault(json!({"freeze_connections": true})).await;
    market.system.trade(HELD, 94_000).await;
    market.reopened(2).await;
    market.system.counts(EXITS, 1).await;
    market.falls_and_is_sold(OTHER).await;
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_are_cut_short_are_told_and_the_price_is_asked_for() {
    let market = Market::open(json!({}), PATIENT).await;
    market.registered(4).await;
    market.trade_all(100_000).await;
    market.all_stored().await;
    market.fault(json!({"truncate_frames": 2})).await;
    market.system.trade(OTHER, 99_900).await;
    market.falls_and_is_sold(HELD).await;
    assert!(market.stream.log().contains("text of the broker skipped"));
    assert!(market.system.one::<i64>(ASKED, &[]).await > 0);
    market.falls_and_is_sold(OTHER).await;
    let sessions = market.stream.log().matches("session open").count();
    assert_eq!(sessions, 1, "the session went on");
    market.close().await;
}

/// The configuration lifts the limit, so that the broker is the one who says it.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_registers_no_more_is_asked_for() {
    let symbols: Vec<String> = (0..43)
        .map(|number| format!("{:06}", 100 + number))
        .collect();
    let stocks: Vec<Stock<'_>> = symbols
        .iter()
        .map(|symbol| Stock {
            symbol,
            close: CLOSE,
            held: 100,
        })
        .collect();
    let market = Market::open_with(&stocks, json!({"registrations_max": 41}), PATIENT).await;
    eventually("the 42nd is refused", async || {
        let log = market.stream.log();
        log.contains("the broker takes fewer registrations than configured")
    })
    .await;
    market.registered(41).await;
    let status = market.system.get("/status").await;
    let registered = status["sessions"][0]["registrations"].to_string();
    let left_out: Vec<&String> = symbols
        .iter()
        .filter(|symbol| !registered.contains(symbol.as_str()))
        .collect();
    assert_eq!(left_out.len(), 3, "41 are notices and 40 symbols");
    for symbol in &symbols {
        market.system.trade(symbol, CLOSE).await;
    }
    for symbol in left_out {
        market.falls_and_is_sold(symbol).await;
    }
    let streamed = symbols
        .iter()
        .find(|symbol| registered.contains(symbol.as_str()))
        .expect("one");
    market.falls_and_is_sold(streamed).await;
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_refuses_the_fourth_is_learned_and_what_is_free_is_taken() {
    let market = Market::open(json!({"registrations_max": 3}), PATIENT).await;
    market.registered(3).await;
    eventually("the limit is learned", async || {
        let log = market.stream.log();
        log.contains("the broker takes fewer registrations than configured")
    })
    .await;
    market.trade_all(CLOSE).await;
    let status = market.system.get("/status").await;
    let registered = status["sessions"][0]["registrations"].to_string();
    let (streamed, left_out): (Vec<&str>, Vec<&str>) = [HELD, OTHER, QUIET]
        .into_iter()
        .partition(|symbol| registered.contains(symbol));
    assert_eq!((streamed.len(), left_out.len()), (2, 1));
    market.falls_and_is_sold(left_out[0]).await;
    market.falls_and_is_sold(streamed[0]).await;
    assert!(market.system.registrations().await <= 3);
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_calls_execute_nothing_and_the_sale_goes_through() {
    let market = Market::open(json!({}), PATIENT).await;
    market.registered(4).await;
    market.trade_all(CLOSE).await;
    market.all_stored().await;
    market.fault(json!({"rate_limit_next": 6})).await;
    market.falls_and_is_sold(HELD).await;
    eventually("all six are refused", async || {
        market.system.get("/faults").await["rate_limit_next"] == json!(0)
    })
    .await;
    let log = market.system.get("/log").await;
    let refused = log.to_string().matches("EGW00201").count();
    assert_eq!(refused, 6);
    market.falls_and_is_sold(OTHER).await;
    market.close().await;
}

/// A price that was asked for and lost to the stream's has no row: the journal has it.
#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_lost_to_a_fresh_one_stands_in_the_journal() {
    let market = Market::open(json!({}), "[quotes]\nheld_after = \"100ms\"\n").await;
    market.registered(4).await;
    let lost = "SELECT count(*) FROM system.engine_events WHERE kind = 'behind'
        AND payload->>'symbol' = '005930' AND payload->>'source' = 'KIS_REST'
        AND (payload->>'last')::numeric = 99900";
    eventually("a query is behind the stream", async || {
        market.fault(json!({"stop_quotes": false})).await;
        market.system.trade(HELD, CLOSE).await;
        market.fault(json!({"stop_quotes": true})).await;
        market.system.trade(HELD, 99_900).await;
        tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
        market.system.one::<i64>(lost, &[]).await > 0
    })
    .await;
    // Once the stream's price is old, that of the query counts.
    let taken =
        "SELECT count(*) FROM market.prices WHERE source = 'KIS_REST' AND last_price = 99900";
    market.system.counts(taken, 1).await;
    market.fault(json!({"stop_quotes": false})).await;
    market.close().await;
}
