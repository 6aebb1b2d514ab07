//! A silent engine, and a second one.

use std::time::Duration;

use nix::sys::signal::Signal;
use turnstile_tests::{ACCOUNT, Stock, System, Webhook};

use crate::rig::{monitoring, show_one};

const SYMBOL: &str = "005930";

/// The whole process of the engine stands still: it can tell nobody, the BFF does.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_engine_is_told_by_the_bff() {
    let stock = Stock {
        symbol: SYMBOL,
        close: 100_000,
        held: 100,
    };
    let system = System::start(&[stock], "").await;
    let webhook = Webhook::start().await;
    // 10 s in the table.
    let limit = "[monitoring.limits.engine_silent]\ndanger = 3\n";
    let stream = system.stream("[monitoring]\nenabled = true\n").await;
    let settings = monitoring(&webhook, limit);
    let (bff, _url) = system.bff_with(&settings).await;
    system
        .counts("SELECT count(*) FROM system.engine_beats", 1)
        .await;
    let pause = async || tokio::time::sleep(Duration::from_millis(200)).await;
    show_one(
        (&system, &webhook, "engine_silent"),
        "CRITICAL",
        async || {
            stream.signal(Signal::SIGSTOP);
            pause().await;
        },
        async || {
            stream.signal(Signal::SIGCONT);
            pause().await;
        },
    )
    .await;
    stream.stop().await;
    let left: i64 = system
        .one("SELECT count(*) FROM system.engine_beats", &[])
        .await;
    assert_eq!(left, 0, "an engine that ends in order is not silent");
    bff.stop().await;
    system.stop().await;
}

/// Nothing is taken from the engine while prices cannot be stored; its own process tells.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_held_up_is_told_by_its_own_process() {
    let stock = Stock {
        symbol: SYMBOL,
        close: 100_000,
        held: 0,
    };
    let path = "[path]\nkind = \"generator\"\nseed = 7\nticks_per_second = 200\n";
    let system = System::start(&[stock], path).await;
    let webhook = Webhook::start().await;
    // 10 s in the table; few prices wait, so that it is soon full.
    let limit = "[monitoring.limits.engine_silent]\ndanger = 3\n";
    let settings = format!(
        "[prices]\nbatch_rows = 16\nchannel = 16\n{}",
        monitoring(&webhook, limit)
    );
    let stream = system.stream(&settings).await;
    let does = async |statements: &str| {
        system.db.batch_execute(statements).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    show_one(
        (&system, &webhook, "engine_silent"),
        "CRITICAL",
        async || does("BEGIN; LOCK TABLE market.prices IN EXCLUSIVE MODE").await,
        async || does("COMMIT").await,
    )
    .await;
    stream.stop().await;
    system.stop().await;
}

/// The lock of the account lets no second engine be; here its beats come from the test.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_engine_of_the_account_is_told() {
    let stock = Stock {
        symbol: SYMBOL,
        close: 100_000,
        held: 0,
    };
    let system = System::start(&[stock], "").await;
    let webhook = Webhook::start().await;
    let stream = system.stream(&monitoring(&webhook, "")).await;
    system
        .counts("SELECT count(*) FROM system.engine_beats", 1)
        .await;
    let beat =
        "INSERT INTO system.engine_beats (engine_id, account_id, instance, beat_ts, evaluated_ts)
        VALUES ('11111111-1111-4111-8111-111111111111', $1, 'other', now(), now())
        ON CONFLICT (engine_id) DO UPDATE SET beat_ts = now()";
    let other = "DELETE FROM system.engine_beats WHERE instance = 'other'";
    let pause = async || tokio::time::sleep(Duration::from_millis(200)).await;
    show_one(
        (&system, &webhook, "duplicate_engine"),
        "CRITICAL",
        async || {
            system.execute(beat, &[&ACCOUNT]).await;
            pause().await;
        },
        async || {
            system.execute(other, &[]).await;
            pause().await;
        },
    )
    .await;
    stream.stop().await;
    system.stop().await;
}
