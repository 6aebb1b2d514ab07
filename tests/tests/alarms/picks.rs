//! Picks of other programs: verdicts that come late, runs that come after another was followed, and
//! what the gates let through.

use std::cell::Cell;
use std::time::Duration;

use serde_json::{Value, json};
use turnstile_tests::{Api, Program, Stock, System, Webhook, eventually};

use crate::rig::{a_while, monitoring, monitoring_over, show_one, until};

const PRICE: i64 = 100_000;
const PRODUCER: i64 = 3000;
/// What is said of a symbol is said once a day, so there are enough of them.
const SYMBOLS: usize = 120;
const PICKS: &str = "[picks]\nenabled = true\nsweep = \"1s\"\n";

/// A desk that takes picks.
struct Desk {
    system: System,
    webhook: Webhook,
    stream: Program,
    api: Api,
    used: Cell<usize>,
}

impl Desk {
    /// `picks` are further keys of their section; `monitoring` are the sections of alarms.
    async fn start(picks: &str, monitoring: impl Fn(&Webhook) -> String) -> Self {
        let symbols: Vec<String> = (0..SYMBOLS).map(symbol).collect();
        let stocks = symbols.iter().map(|symbol| Stock {
            symbol,
            close: PRICE,
            held: 0,
        });
        let system = System::start(&stocks.collect::<Vec<_>>(), "").await;
        system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
        let webhook = Webhook::start().await;
        let settings = format!("{PICKS}{picks}{}", monitoring(&webhook));
        let stream = system.stream(&settings).await;
        let (program, url) = system.bff_with("requests_per_second = 0\n").await;
        let api = Api::new(program, url);
        let told = "SELECT count(*) FROM trade.account_equity WHERE equity > 0";
        system.counts(told, 1).await;
        Self {
            system,
            webhook,
            stream,
            api,
            used: Cell::new(0),
        }
    }

    /// Returns a symbol of which nothing was said.
    fn next(&self) -> String {
        let number = self.used.replace(self.used.get() + 1);
        assert!(number < SYMBOLS, "there are too few symbols");
        symbol(number)
    }

    /// Sends a run that picks `symbol`, and returns its id.
    async fn pick(&self, run_id: &str, symbol: &str) {
        let run: Value = json!({"producer_id": PRODUCER, "run_id": run_id,
            "asof": jiff::Timestamp::now().to_string(), "sent_by": "test", "picks": [{"symbol": symbol,
            "side": "LONG", "score": 0.8, "confidence": "HIGH", "rank": 1, "reasons": ["test"]}]});
        let (status, answer) = self.api.post("/picks", &run).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// Trades `symbol` until it has a fresh price that picks are judged by.
    async fn price(&self, symbol: &str) {
        eventually("a fresh price", async || {
            self.system.trade(symbol, PRICE).await;
            a_while().await;
            let fresh =
                "SELECT EXISTS (SELECT FROM market.best_prices WHERE symbol = $1 AND NOT is_stale
                AND received_ts > now() - interval '1 second')";
            self.system.one::<bool>(fresh, &[&symbol]).await
        })
        .await;
    }

    /// Picks a symbol and waits for what becomes of it.
    async fn judged(&self, run_id: &str, symbol: &str) {
        self.pick(run_id, symbol).await;
        let said = "SELECT EXISTS (SELECT FROM trade.pick_decisions WHERE symbol = $1)
            OR EXISTS (SELECT FROM trade.pick_holds WHERE symbol = $1)";
        eventually("the pick is judged", async || {
            self.system.one::<bool>(said, &[&symbol]).await
        })
        .await;
    }

    async fn stop(self) {
        self.api.stop().await;
        self.stream.stop().await;
        self.system.stop().await;
    }
}

fn symbol(number: usize) -> String {
    format!("{:06}", 100_000 + number * 10)
}

/// Returns the name of another run.
fn run() -> String {
    jiff::Timestamp::now().as_nanosecond().to_string()
}

/// What is held cannot be written for a while.
#[tokio::test(flavor = "multi_thread")]
async fn late_verdicts_raise_an_alarm() {
    let desk = Desk::start("", |webhook| monitoring(webhook, "")).await;
    show_one(
        (&desk.system, &desk.webhook, "picks_latency"),
        "WARNING",
        async || {
            let lock = "BEGIN; LOCK TABLE trade.pick_holds, trade.pick_decisions IN EXCLUSIVE MODE";
            desk.system.db.batch_execute(lock).await.unwrap();
            desk.pick(&run(), &desk.next()).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            desk.system.db.batch_execute("COMMIT").await.unwrap();
            a_while().await;
        },
        a_while,
    )
    .await;
    desk.stop().await;
}

/// The day's decision stands; eleven more runs would have had it.
#[tokio::test(flavor = "multi_thread")]
async fn conflicts_of_picks_raise_an_alarm() {
    let desk = Desk::start("", |webhook| monitoring(webhook, "")).await;
    let symbol = desk.next();
    desk.price(&symbol).await;
    desk.judged(&run(), &symbol).await;
    eventually("the pick is decided", async || {
        desk.price(&symbol).await;
        let decided = "SELECT count(*) FROM trade.pick_decisions";
        desk.system.one::<i64>(decided, &[]).await == 1
    })
    .await;
    show_one(
        (&desk.system, &desk.webhook, "picks_conflicts"),
        "WARNING",
        async || {
            for _ in 0..11 {
                desk.pick(&run(), &symbol).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        },
        a_while,
    )
    .await;
    desk.stop().await;
}

/// Makes the condition until it is told, a second between; then only waits until it is over.
async fn show(desk: &Desk, alarm: &str, mut bad: impl AsyncFnMut()) {
    let course = ["RAISED WARNING", "CLEARED WARNING"];
    until(&desk.webhook, alarm, &course[..1], async || {
        bad().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    })
    .await;
    until(&desk.webhook, alarm, &course, a_while).await;
}

/// Ten verdicts in the table, two here.
#[tokio::test(flavor = "multi_thread")]
async fn picks_without_a_price_raise_an_alarm() {
    let limits = "[monitoring.limits.picks_gate_freshness]\nleast = 2\n";
    let desk = Desk::start("", |webhook| monitoring(webhook, limits)).await;
    show(&desk, "picks_gate_freshness", async || {
        for _ in 0..2 {
            desk.judged(&run(), &desk.next()).await;
        }
    })
    .await;
    desk.stop().await;
}

/// No share fits into a millionth of the equity. Ten verdicts in the table, two here.
#[tokio::test(flavor = "multi_thread")]
async fn picks_that_limits_refuse_raise_an_alarm() {
    let limits = "[monitoring.limits.picks_gate_risk]\nleast = 2\n";
    let desk = Desk::start("size = 1\n", |webhook| {
        monitoring_over(webhook, "10s", limits)
    })
    .await;
    show(&desk, "picks_gate_risk", async || {
        for _ in 0..2 {
            let symbol = desk.next();
            desk.price(&symbol).await;
            desk.judged(&run(), &symbol).await;
        }
    })
    .await;
    desk.stop().await;
}

/// Purchases under the keys that picks would have. Ten verdicts in the table, two here.
#[tokio::test(flavor = "multi_thread")]
async fn action_keys_that_were_used_raise_an_alarm() {
    let limits = "[monitoring.limits.picks_gate_key]\nleast = 2\n";
    let desk = Desk::start("", |webhook| monitoring_over(webhook, "10s", limits)).await;
    let used = "INSERT INTO trade.manual_entries (request_id, symbol, qty, asked_by, state, message,
            action_key)
        SELECT gen_random_uuid(), $1::text, 1, 'test', 'REFUSED', 'test',
            format('ENTRY:%s:%s:%s:%s', to_char(now() AT TIME ZONE 'Asia/Seoul' + n * interval '1 day',
                'YYYYMMDD'), $1::text, $2::bigint, $3::text)
        FROM generate_series(0, 1) n";
    show(&desk, "picks_gate_key", async || {
        for _ in 0..2 {
            let (symbol, run) = (desk.next(), run());
            desk.system.execute(used, &[&symbol, &PRODUCER, &run]).await;
            desk.price(&symbol).await;
            desk.judged(&run, &symbol).await;
        }
    })
    .await;
    desk.stop().await;
}
