//! Picks of other programs: verdicts that come late, and runs that come after another was followed.

use std::time::Duration;

use serde_json::{Value, json};
use turnstile_tests::{Api, Program, Stock, System, Webhook, eventually};

use crate::rig::{a_while, monitoring, show_one};

/// It has a price.
const PRICED: &str = "005930";
/// It has none, so its picks are held.
const UNPRICED: &str = "000660";
const PICKS: &str = "[picks]\nenabled = true\nsweep = \"1s\"\n";

/// A desk that takes picks.
struct Desk {
    system: System,
    webhook: Webhook,
    stream: Program,
    api: Api,
}

impl Desk {
    async fn start() -> Self {
        let stock = |symbol| Stock {
            symbol,
            close: 100_000,
            held: 0,
        };
        let system = System::start(&[stock(PRICED), stock(UNPRICED)], "").await;
        let webhook = Webhook::start().await;
        let settings = format!("{PICKS}{}", monitoring(&webhook, ""));
        let stream = system.stream(&settings).await;
        let (program, url) = system.bff_with("requests_per_second = 0\n").await;
        let api = Api::new(program, url);
        system
            .counts("SELECT count(*) FROM trade.account_equity WHERE equity > 0", 1)
            .await;
        Self {
            system,
            webhook,
            stream,
            api,
        }
    }

    /// Sends another run that picks `symbol`.
    async fn pick(&self, symbol: &str) {
        let run: Value = json!({"producer_id": 3000, "run_id": jiff::Timestamp::now().to_string(),
            "asof": jiff::Timestamp::now().to_string(), "sent_by": "test", "picks": [{"symbol": symbol,
            "side": "LONG", "score": 0.8, "confidence": "HIGH", "rank": 1, "reasons": ["test"]}]});
        let (status, answer) = self.api.post("/picks", &run).await;
        assert_eq!(status, 200, "{answer}");
    }

    async fn stop(self) {
        self.api.stop().await;
        self.stream.stop().await;
        self.system.stop().await;
    }
}

/// What is held cannot be written for a while.
#[tokio::test(flavor = "multi_thread")]
async fn late_verdicts_raise_an_alarm() {
    let desk = Desk::start().await;
    desk.pick(UNPRICED).await;
    desk.system
        .counts("SELECT count(*) FROM trade.pick_holds", 1)
        .await;
    show_one(
        (&desk.system, &desk.webhook, "picks_latency"),
        "WARNING",
        async || {
            let lock = "BEGIN; LOCK TABLE trade.pick_holds, trade.pick_decisions IN EXCLUSIVE MODE";
            desk.system.db.batch_execute(lock).await.unwrap();
            desk.pick(UNPRICED).await;
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
    let desk = Desk::start().await;
    desk.pick(PRICED).await;
    eventually("the pick is decided", async || {
        desk.system.trade(PRICED, 100_000).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let decided = "SELECT count(*) FROM trade.pick_decisions";
        desk.system.one::<i64>(decided, &[]).await == 1
    })
    .await;
    show_one(
        (&desk.system, &desk.webhook, "picks_conflicts"),
        "WARNING",
        async || {
            for _ in 0..11 {
                desk.pick(PRICED).await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        },
        a_while,
    )
    .await;
    desk.stop().await;
}
