//! Daily bars: the real file into the database, and what a session knows of the days before it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use turnstile_connectors::bars::refresh;
use turnstile_connectors::postgres::{Postgres, PostgresConfig};
use turnstile_tests::{Program, Stock, System, data, eventually};

const BARS: i64 = 95_412;
const CONTENT: &str = "SELECT md5(string_agg(d::text, E'\\n' ORDER BY symbol, trade_date))
    FROM (SELECT symbol, trade_date, open, high, low, close, volume, value, market_cap, shares
          FROM market.daily_bars) d";

fn real_file() -> Option<PathBuf> {
    data("krx-daily-2026.csv.gz")
}

async fn import(system: &System, arguments: &[&str], log: &str) -> (bool, String) {
    let config = system.config_file("");
    let all = [&["--config", &config, "import", "daily"], arguments].concat();
    let log = system.folder().join(format!("{log}.log"));
    let program = Program::start(&all, &system.environment(), &log);
    program.output().await
}

fn report(output: &str) -> Value {
    let line = output.lines().rfind(|line| line.starts_with('{'));
    serde_json::from_str(line.unwrap_or_else(|| panic!("{output}"))).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_file_gives_the_same_table_twice_and_the_volatility_of_its_bars() {
    let Some(file) = real_file() else { return };
    let system = System::start(&[], "").await;
    let path = file.display().to_string();
    let (is_ok, output) = import(&system, &[&path], "import").await;
    assert!(is_ok, "{output}");
    println!("{output}");
    assert_eq!(report(&output)["changed"], json!(BARS));
    let count = "SELECT count(*) FROM market.daily_bars";
    assert_eq!(system.one::<i64>(count, &[]).await, BARS);
    let first: String = system.one(CONTENT, &[]).await;

    let (is_ok, output) = import(&system, &[&path], "again").await;
    assert!(is_ok && output.contains("stored already"), "{output}");
    let (is_ok, output) = import(&system, &[&path, "--again"], "really").await;
    assert!(is_ok, "{output}");
    assert_eq!(report(&output)["changed"], json!(0));
    assert_eq!(system.one::<String>(CONTENT, &[]).await, first);
    let last = last_rows(&file);
    let of = |is_it: fn(&LastRow) -> bool| -> BTreeSet<String> {
        let symbols = last.iter().filter(|(_, row)| is_it(row));
        symbols.map(|(symbol, _)| symbol.clone()).collect()
    };
    for (what, stored, expected) in [
        (
            "the section GLOBAL",
            "market = 'KOSDAQ' AND segment = 'GLOBAL'",
            of(|row| row.market == "KOSDAQ GLOBAL"),
        ),
        (
            "managed issues",
            "is_managed",
            of(|row| row.department == "관리종목(소속부없음)"),
        ),
        (
            "issues under a caution",
            "is_caution",
            of(|row| row.department == "투자주의환기종목(소속부없음)"),
        ),
    ] {
        let query = format!("SELECT symbol FROM market.stocks WHERE {stored}");
        let rows = system.query(&query, &[]).await;
        let stored: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(stored.len() > 40, "{what}: {}", stored.len());
        assert_eq!(stored, expected, "{what}");
    }

    // The last session of the file is 2026-02-20, a Friday; the next one 2026-02-23.
    let (_name, url) = system.environment()[0];
    let config = PostgresConfig {
        url: url.to_owned().into(),
        ..PostgresConfig::default()
    };
    let postgres = Postgres::connect(&config).await.expect("PostgreSQL");
    let (session, before) = ("2026-02-23".parse(), "2026-02-20".parse());
    let (session, before) = (session.expect("date"), before.expect("date"));
    refresh(&postgres, session, before, None)
        .await
        .expect("refreshed");
    let again = refresh(&postgres, session, before, None)
        .await
        .expect("refreshed");
    assert_eq!((again.changed, again.dropped), (0, 0));
    // Of every issue that was listed on that day; of the others the last close is too old.
    let bars = read(&file);
    let listed = last.iter().filter(|(_, row)| row.date == "2026-02-20");
    let expected: BTreeMap<String, (Option<Decimal>, Decimal)> = listed
        .map(|(symbol, row)| {
            let ratio = bars.get(symbol).and_then(|days| volatility(days));
            (symbol.clone(), (ratio, row.close))
        })
        .collect();
    assert!(expected.len() > 2_800);
    let known = expected.values().filter(|(ratio, _)| ratio.is_some());
    assert!(known.count() > 2_700);
    let rows = system
        .query(
            "SELECT symbol, atr_pct, prev_close FROM market.symbol_context",
            &[],
        )
        .await;
    let found: BTreeMap<String, (Option<Decimal>, Decimal)> = rows
        .iter()
        .map(|row| (row.get(0), (row.get(1), row.get(2))))
        .collect();
    for (symbol, expected) in &expected {
        assert_eq!(found.get(symbol), Some(expected), "{symbol}");
    }
    assert_eq!(found.len(), expected.len(), "and nobody else");
    // A week later nothing of it counts any more.
    let (late, unknown) = ("2026-03-03".parse(), "2026-02-27".parse());
    let late = refresh(&postgres, late.expect("date"), unknown.expect("date"), None);
    assert!(late.await.expect("refreshed").dropped > 2_000);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_goes_on_and_a_bad_line_is_named() {
    let Some(file) = real_file() else { return };
    let system = System::start(&[], "").await;
    let path = file.display().to_string();
    let config = system.config_file("");
    let log = system.folder().join("killed.log");
    let arguments = ["--config", &config, "import", "daily", &path];
    let killed = Program::start(&arguments, &system.environment(), &log);
    let done = "SELECT coalesce(max(rows_done), 0) FROM system.imports";
    eventually("some of it is stored", async || {
        system.one::<i64>(done, &[]).await > 0
    })
    .await;
    killed.signal(Signal::SIGKILL);
    let (is_ok, output) = import(&system, &[&path], "on").await;
    assert!(is_ok, "{output}");
    assert!(
        report(&output)["went_on_after"].as_i64() > Some(0),
        "{output}"
    );
    let count = "SELECT count(*) FROM market.daily_bars";
    assert_eq!(system.one::<i64>(count, &[]).await, BARS);

    let bad = system.folder().join("bad.csv");
    let mut text = std::fs::File::create(&bad).expect("file");
    writeln!(
        text,
        "date,symbol,name,market,open,high,low,close,volume,value"
    )
    .expect("written");
    writeln!(text, "2026-01-02,1,n,KOSPI,1,1,1,1,1,1").expect("written");
    writeln!(text, "2026-01-02,2,n,KOSPI,1,1,1,one,1,1").expect("written");
    let bad = bad.display().to_string();
    let (is_ok, output) = import(&system, &[&bad], "bad").await;
    assert!(
        !is_ok && output.contains("line 3, column close"),
        "{output}"
    );
    let (is_ok, output) = import(&system, &[&bad, "--skip-bad"], "skip").await;
    assert!(is_ok, "{output}");
    assert_eq!(report(&output)["skipped"], json!(1));
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_begins_with_the_volatility_of_what_is_held() {
    let stock = Stock {
        symbol: "005930",
        close: 50_000,
        held: 10,
    };
    let system = System::start(&[stock], "").await;
    system
        .execute(
            "INSERT INTO market.daily_bars
                 (symbol, trade_date, open, high, low, close, volume, value, source)
             SELECT '005930', day::date, 50000, 51000, 49000, 50000, 1, 50000, 'IMPORT'
             FROM generate_series(now() AT TIME ZONE 'Asia/Seoul' - interval '60 days',
                 now() AT TIME ZONE 'Asia/Seoul' - interval '1 day', '1 day') day",
            &[],
        )
        .await;
    let stream = system.stream("").await;
    let known = "SELECT count(*) FROM market.symbol_context
        WHERE symbol = '005930' AND atr_pct = 0.04 AND prev_close = 50000";
    system.counts(known, 1).await;
    stream.stop().await;
    system.stop().await;
}

/// Days of an issue on which it was traded: highest, lowest, last price.
type Bars = BTreeMap<String, Vec<[Decimal; 3]>>;

/// The last line of an issue.
struct LastRow {
    date: String,
    market: String,
    close: Decimal,
    department: String,
}

/// Calls `each` with the fields of each line of `file`, by its header.
fn each_line(file: &Path, mut each: impl FnMut(&dyn Fn(&str) -> String)) {
    let file = std::fs::File::open(file).expect("file");
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
    let header = reader.headers().expect("a header").clone();
    for line in reader.records() {
        let line = line.expect("a line");
        each(&|column: &str| {
            let place = header.iter().position(|name| name == column);
            line[place.expect(column)].to_owned()
        });
    }
}

/// Returns the last line of each issue. The file is in order of days.
fn last_rows(file: &Path) -> BTreeMap<String, LastRow> {
    let mut rows = BTreeMap::new();
    each_line(file, |field| {
        let row = LastRow {
            date: field("date"),
            market: field("market"),
            close: field("close").parse().expect("price"),
            department: field("dept"),
        };
        rows.insert(field("symbol"), row);
    });
    rows
}

fn read(file: &Path) -> Bars {
    let mut bars = Bars::new();
    each_line(file, |field| {
        let prices =
            ["high", "low", "close"].map(|name| field(name).parse::<Decimal>().expect("price"));
        if !prices[0].is_zero() {
            bars.entry(field("symbol")).or_default().push(prices);
        }
    });
    bars
}

/// ATR(14) over the last close, by the textbook: the sum form of Wilder's average, kept as a fraction
/// until the end. None for fewer than fourteen ranges.
fn volatility(days: &[[Decimal; 3]]) -> Option<Decimal> {
    let mut ranges = Vec::new();
    for at in 1..days.len() {
        let ([high, low, _], before) = (days[at], days[at - 1][2]);
        let widest = [high - low, (high - before).abs(), (low - before).abs()];
        ranges.push(widest.into_iter().max().expect("three"));
    }
    let fourteen = Decimal::from(14);
    let mut sum: Decimal = ranges.get(..14)?.iter().sum();
    for range in &ranges[14..] {
        sum = sum - sum / fourteen + range;
    }
    let close = days.last()?[2];
    Some((sum / fourteen / close).round_dp(6))
}
