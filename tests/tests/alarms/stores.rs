//! Limits of PostgreSQL and Redis (`spec/data-flow.md`, section 6), seen from the BFF.

use std::time::Duration;

use futures_util::future::join_all;
use turnstile_tests::{Stock, System, Webhook, eventually};

use crate::rig::{monitoring, show, until};

const SYMBOL: &str = "005930";
/// There is no price of it.
const SILENT: &str = "000660";

/// A running BFF, and what is asked of it.
struct Desk {
    system: System,
    webhook: Webhook,
    http: reqwest::Client,
    url: String,
    bff: turnstile_tests::Program,
}

impl Desk {
    async fn start() -> Self {
        let stocks = [SYMBOL, SILENT].map(|symbol| Stock {
            symbol,
            close: 100_000,
            held: 0,
        });
        let system = System::start(&stocks, "").await;
        let webhook = Webhook::start().await;
        let extra = format!("request_timeout = \"30s\"\n{}", monitoring(&webhook, ""));
        let (bff, url) = system.bff_with(&extra).await;
        Self {
            system,
            webhook,
            http: reqwest::Client::new(),
            url,
            bff,
        }
    }

    async fn get(&self, path: &str) {
        let answer = self.http.get(format!("{}/api/v1{path}", self.url)).send();
        answer.await.unwrap().bytes().await.unwrap();
    }

    /// Keeps the table of logs shut for a while, during which `readers` wait for it.
    async fn hold_logs(&self, readers: usize, hold: Duration) {
        let lock = "BEGIN; LOCK TABLE system.logs IN ACCESS EXCLUSIVE MODE";
        self.system.db.batch_execute(lock).await.unwrap();
        let waiting = join_all((0..readers).map(|_| self.get("/logs?limit=1")));
        let release = async {
            tokio::time::sleep(hold).await;
            self.system.db.batch_execute("ROLLBACK").await.unwrap();
        };
        tokio::join!(waiting, release);
    }

    async fn stop(self) {
        self.bff.stop().await;
        self.system.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_queries_raise_an_alarm() {
    let desk = Desk::start().await;
    show(
        (&desk.system, &desk.webhook, "db_query_time"),
        async || desk.hold_logs(22, Duration::from_millis(220)).await,
        async || desk.hold_logs(22, Duration::from_millis(900)).await,
        async || {
            join_all((0..10).map(|_| desk.get("/logs?limit=1"))).await;
        },
    )
    .await;
    let said = &desk.webhook.about("db_query_time")[1].text;
    assert!(said.contains("above 500 ms"), "{said}");
    // What is measured has a history.
    let history = "SELECT count(*) FROM system.metrics WHERE name = 'postgres_query_seconds_count'";
    desk.system.counts(history, 2).await;
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_misses_raises_an_alarm() {
    let desk = Desk::start().await;
    // One symbol has a price; of the other there is nothing to be kept in the cache.
    let price = "INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source, last_price,
            volume, session)
        VALUES (current_date, 1, $1, now(), now(), 'KIS_WS', 100000, 1, 'REGULAR')";
    let day = "SELECT market.ensure_prices_partition(current_date)";
    desk.system.query(day, &[]).await;
    desk.system.execute(price, &[&SYMBOL]).await;
    let (priced, silent) = (format!("/prices/{SYMBOL}"), format!("/prices/{SILENT}"));
    desk.get(&priced).await; // From now on it is in the cache.
    let ask = async |hits: usize, misses: usize| {
        for _ in 0..10 {
            let paths =
                std::iter::repeat_n(&priced, hits).chain(std::iter::repeat_n(&silent, misses));
            join_all(paths.map(|path| desk.get(path))).await;
        }
    };
    show(
        (&desk.system, &desk.webhook, "cache_hit_rate"),
        async || ask(7, 3).await,
        async || ask(2, 8).await,
        async || ask(10, 0).await,
    )
    .await;
    let said = &desk.webhook.about("cache_hit_rate")[0].text;
    assert!(said.contains("below 80.0 %"), "{said}");
    desk.stop().await;
}

/// 21 of 25 connections are 84 %, all of them 100 %. One hold for each level, since a pool that is
/// given back in between is not in use.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_in_use_raises_an_alarm() {
    let desk = Desk::start().await;
    let alarm = "db_pool_use";
    let course = ["RAISED WARNING", "ESCALATED CRITICAL", "CLEARED CRITICAL"];
    let lock = "BEGIN; LOCK TABLE system.logs IN ACCESS EXCLUSIVE MODE";
    let look = async || tokio::time::sleep(Duration::from_millis(50)).await;
    desk.system.db.batch_execute(lock).await.unwrap();
    let mild = join_all((0..21).map(|_| desk.get("/logs?limit=1")));
    let severe = async {
        until(&desk.webhook, alarm, &course[..1], look).await;
        let more = join_all((0..10).map(|_| desk.get("/logs?limit=1")));
        let release = async {
            until(&desk.webhook, alarm, &course[..2], look).await;
            desk.system.db.batch_execute("ROLLBACK").await.unwrap();
        };
        tokio::join!(more, release);
    };
    tokio::join!(mild, severe);
    until(&desk.webhook, alarm, &course, look).await;

    // To and fro: stored, not told.
    desk.system.db.batch_execute(lock).await.unwrap();
    let again = join_all((0..30).map(|_| desk.get("/logs?limit=1")));
    let release = async {
        eventually("it stands again", async || {
            crate::rig::episodes(&desk.system, alarm).await == (2, 1)
        })
        .await;
        desk.system.db.batch_execute("ROLLBACK").await.unwrap();
    };
    tokio::join!(again, release);
    eventually("it is over again", async || {
        crate::rig::episodes(&desk.system, alarm).await == (2, 0)
    })
    .await;
    desk.webhook.wait(alarm, &course).await;
    desk.stop().await;
}
