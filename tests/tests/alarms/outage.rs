//! PostgreSQL away: a P0 that does not need it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use turnstile_tests::{Api, Stock, System, Webhook, eventually};

use crate::rig::monitoring;

const P0: &str = "postgres_unreachable";
/// From the stop of PostgreSQL to the message.
const TOLD_WITHIN: Duration = Duration::from_secs(2);

/// The stream job and the BFF stay, each tells, and keeps what was told once it can.
#[tokio::test(flavor = "multi_thread")]
async fn a_p0_leaves_within_two_seconds_and_is_kept_afterwards() {
    let stock = Stock {
        symbol: "005930",
        close: 100_000,
        held: 100,
    };
    let mut system = System::start(&[stock], "").await;
    let webhook = Webhook::start().await;
    let settings = monitoring(&webhook, "");
    let mut stream = system.stream(&settings).await;
    let (bff, url) = system.bff_with(&settings).await;
    let up = "SELECT count(DISTINCT instance) FROM system.metrics WHERE name = 'postgres_up' AND value = 1";
    system.counts(up, 2).await;

    let began = Instant::now();
    let postgres = system.servers.postgres().unwrap();
    let stopping = postgres.stop();
    let (stopped, ()) = tokio::join!(stopping, async {
        let until = Instant::now() + Duration::from_secs(10);
        while webhook.about(P0).len() < 2 {
            let told = webhook.about(P0);
            let logs = || format!("{}\n{}", bff.log(), stream.log());
            assert!(Instant::now() < until, "told by: {told:?}\n{}", logs());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    stopped.unwrap();
    let told = webhook.about(P0);
    for message in &told {
        let after = message.at - began;
        println!("P0 of {} after {after:?}", message.instance);
        assert!(after < TOLD_WITHIN, "{} after {after:?}", message.instance);
        assert_eq!(
            (message.level.as_str(), message.state.as_str()),
            ("P0", "RAISED")
        );
    }
    assert_ne!(told[0].instance, told[1].instance);

    system.servers.postgres().unwrap().start().await.unwrap();
    eventually("both have told that it is back", async || {
        let about = webhook.about(P0);
        about.len() == 4 && about[2..].iter().all(|told| told.state == "CLEARED")
    })
    .await;
    assert!(!stream.has_ended());
    let api = Api::new(bff, url);
    eventually("it is kept, with what was sent", async || {
        let (status, body) = api.get("/alarms?state=cleared").await;
        let alarm = |body: &Value| {
            let alarms = body["data"].as_array().cloned().unwrap_or_default();
            alarms.into_iter().find(|alarm| alarm["name"] == P0)
        };
        status == 200
            && alarm(&body).is_some_and(|alarm| {
                let sent = alarm["deliveries"].as_array().map_or(0, Vec::len);
                alarm["level"] == "P0" && sent == 2
            })
    })
    .await;
    api.stop().await;
    stream.stop().await;
    // The connection of the test ended with the server.
    drop(system);
}
