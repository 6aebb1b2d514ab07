//! Tick files: every trade of a registered issue once, in order, unchanged.

use std::{collections::BTreeMap, io::Write, path::PathBuf};

use serde_json::json;
use turnstile_exchange_sim::{KeepAliveConfig, PathConfig, SimConfig, TicksConfig};

use crate::client::{Client, PATIENCE, quiet};

fn replay(file: PathBuf, speed: u32) -> SimConfig {
    let mut config = quiet();
    config.accounts[0].holdings.clear();
    SimConfig {
        path: PathConfig::Ticks(TicksConfig {
            file,
            speed: speed.into(),
        }),
        keep_alive: KeepAliveConfig {
            period: std::time::Duration::ZERO,
            ..KeepAliveConfig::default()
        },
        records_per_frame_max: 100,
        paused: true,
        ..config
    }
}

/// Plays a file to a session that registers `symbols`, and returns what it saw of each.
async fn play(
    config: SimConfig,
    symbols: &[&str],
    count: usize,
) -> BTreeMap<String, Vec<(String, String)>> {
    let client = Client::start(config).await;
    let mut session = client.connect().await;
    for symbol in symbols {
        assert_eq!(
            session.subscribe("H0STCNT0", symbol).await["body"]["rt_cd"],
            "0"
        );
    }
    let status = client.look("/status").await;
    assert_eq!(
        (&status["paused"], &status["ticks"]),
        (&json!(true), &json!(0))
    );
    client.control("/resume", &json!({})).await;
    let mut seen = BTreeMap::<String, Vec<(String, String)>>::new();
    let mut total = 0;
    while total < count {
        for record in session.trades().await {
            assert_eq!((record[10].as_str(), record[11].as_str()), ("0", "0"));
            seen.entry(record[0].clone())
                .or_default()
                .push((record[2].clone(), record[12].clone()));
            total += 1;
        }
    }
    let finished = async {
        loop {
            let status = client.look("/status").await;
            if status["finished"] == true {
                return status;
            }
        }
    };
    let status = tokio::time::timeout(PATIENCE, finished).await.unwrap();
    assert_eq!(status["ticks"], status["ticks_total"]);
    assert_eq!(status["records_sent"], count);
    client.sim.stop().await;
    seen
}

#[tokio::test]
async fn a_file_is_played_at_its_pace_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ticks.csv");
    let rows = "2013-10-07T08:00:00.100000Z,SPY,167.41,100\n\
                2013-10-07T08:00:00.100000Z,BAC,13.9,7\n\
                2013-10-07T08:00:00.200000Z,SPY,167.4151,1400\n\
                2013-10-07T08:00:00.300000Z,SPY,167.4,1\n";
    std::fs::File::create(&file)
        .unwrap()
        .write_all(format!("ts,symbol,price,volume\n{rows}").as_bytes())
        .unwrap();
    for speed in [0, 1, 10] {
        let start = tokio::time::Instant::now();
        let seen = play(replay(file.clone(), speed), &["SPY"], 3).await;
        let texts: Vec<_> = seen["SPY"]
            .iter()
            .map(|(price, _)| price.as_str())
            .collect();
        assert_eq!(texts, ["167.41", "167.4151", "167.4"]);
        assert_eq!(seen.len(), 1);
        if speed == 1 {
            assert!(start.elapsed() >= std::time::Duration::from_millis(200));
        }
    }
}

/// 388,417 trades as fast as the client takes them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_tick_day_arrives_complete() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let data = std::env::var("TURNSTILE_DATA").unwrap_or_else(|_| format!("{root}/../shared/data"));
    let file = PathBuf::from(data).join("ticks-2013-10-07.csv.gz");
    if !file.exists() {
        println!("skipped: {} is absent", file.display());
        return;
    }
    let mut expected = BTreeMap::<String, Vec<(String, String)>>::new();
    let opened = std::fs::File::open(&file).unwrap();
    let rows = csv::Reader::from_reader(flate2::read::MultiGzDecoder::new(opened)).into_records();
    for row in rows {
        let row = row.unwrap();
        let price = row[2]
            .parse::<turnstile_exchange_sim::Price>()
            .unwrap()
            .to_string();
        expected
            .entry(row[1].to_owned())
            .or_default()
            .push((price, row[3].to_owned()));
    }
    expected.remove("AIG");
    let count = expected.values().map(Vec::len).sum();
    let seen = play(replay(file, 0), &["SPY", "BAC", "IBM"], count).await;
    assert!(seen == expected, "the trades differ from those of the file");
}
