//! A recorded day through the program and through the oracle: one and the same file, for every
//! number of workers and every batch.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;
use turnstile_dataflows::model::{ExitMode, Price, Symbol};
use turnstile_oracle::oracle::{Context, Fills, PositionRow, Recording, TickRow, csv};
use turnstile_tests::data;

use crate::rig::Folder;

const POSITIONS: usize = 200;
/// Midnight of the day, UTC.
const MIDNIGHT: u64 = 1_381_104_000_000_000;
const HOUR: u64 = 3_600_000_000;

const RULES: &str = r#"
[profiles.tight]
atr   = { ref = 0.01, factor_min = 0.5, factor_max = 1.5 }
sl1   = { pnl = -0.002, qty = 0.5 }
sl2   = { pnl = -0.004, max = -0.005 }
tp1   = { pnl = 0.002, qty = 0.25, floor = 0.0005 }
tp2   = { pnl = 0.004, qty = 0.25 }
tp3   = { pnl = 0.006, qty = 0.25 }
trail = { pct = 0.002, qty = 0.5 }

[profiles.wide]
hard_stop = { pnl = -0.008 }
sl1       = { pnl = -0.004, qty = 0.5 }
sl2       = { pnl = -0.006, qty = 0.7 }
tp1       = { pnl = 0.003, qty = 0.25, floor = 0.001 }
tp2       = { pnl = 0.005, qty = 0.25 }
trail     = { pct = 0.001, atr_k = 0.2, qty = 0.3 }

[profiles.patient]
hard_stop  = { pnl = -0.006 }
break_even = { trigger = 0.001, buffer = 0.0001 }
tp1        = { pnl = 0.0035, qty = 0.2, floor = 0.0002 }
tp2        = { pnl = 0.005, qty = 0.2 }
tp3        = { pnl = 0.006, qty = 0.2, start_trailing = false }
trail      = { pct = 0.0015, qty = 0.5 }
time       = { no_momentum_days = 1, no_momentum_profit = 0.0005 }

[profiles.custom]
sl2    = { pnl = -0.007 }
tp1    = { pnl = 0.002, qty = 0.1, floor = 0.0003 }
tp2    = { pnl = 0.004, qty = 0.1 }
trail  = { pct = 0.0012, qty = 0.5 }
custom = [
  { id = "part", condition = "profit_above", pnl = 0.001, qty = 0.2 },
  { id = "half", condition = "profit_below", pnl = -0.003, qty = 0.5, base = "ORIGINAL" },
]
"#;

/// What is replayed.
struct Day {
    ticks: Vec<TickRow>,
    positions: Vec<PositionRow>,
    contexts: BTreeMap<Symbol, Context>,
    control: Vec<(u64, ExitMode)>,
}

/// Returns the microseconds of a time of the day as the file writes it.
fn micros(ts: &str) -> u64 {
    let (date, time) = ts.split_once('T').unwrap();
    assert_eq!(date, "2013-10-07");
    let (seconds, fraction) = time.strip_suffix('Z').unwrap().split_once('.').unwrap();
    assert_eq!(fraction.len(), 6);
    let seconds = seconds
        .split(':')
        .fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap());
    MIDNIGHT + seconds * 1_000_000 + fraction.parse::<u64>().unwrap()
}

impl Day {
    /// Reads the file; 200 positions of its four symbols enter over the day, each at the price of a
    /// tick, some of them days before.
    fn read(file: &PathBuf) -> Self {
        let opened = flate2::read::MultiGzDecoder::new(std::fs::File::open(file).unwrap());
        let rows = csv::Reader::from_reader(opened).into_records();
        let ticks = rows.map(|row| {
            let row = row.unwrap();
            TickRow {
                ts: micros(&row[0]),
                symbol: row[1].parse().unwrap(),
                price: row[2].parse().unwrap(),
                bid: None,
            }
        });
        let ticks: Vec<TickRow> = ticks.collect();
        let mut by_symbol: BTreeMap<Symbol, Vec<TickRow>> = BTreeMap::new();
        for tick in &ticks {
            by_symbol.entry(tick.symbol).or_default().push(*tick);
        }
        assert_eq!(by_symbol.len(), 4);
        let symbols: Vec<&Vec<TickRow>> = by_symbol.values().collect();
        let profiles = ["tight", "wide", "patient", "custom"];
        let positions = (0..POSITIONS).map(|i| {
            let trades = symbols[i % symbols.len()];
            let bought = trades[trades.len() * i / (POSITIONS + 40)];
            PositionRow {
                id: format!("p{i:03}").parse().unwrap(),
                symbol: bought.symbol,
                qty: i64::try_from(i).unwrap() * 37 % 500 + 1,
                avg: Some(bought.price),
                entry_ts: bought.ts - if i % 7 == 0 { 24 * HOUR } else { 0 },
                profile: profiles[i / symbols.len() % profiles.len()].to_owned(),
            }
        });
        let contexts = by_symbol
            .iter()
            .enumerate()
            .skip(1)
            .map(|(i, (symbol, trades))| {
                let context = Context {
                    atr_pct: Some(i64::try_from(i).unwrap() * 4_000),
                    prev_close: Some(trades[0].price),
                };
                (*symbol, context)
            });
        Self {
            positions: positions.collect(),
            contexts: contexts.collect(),
            control: vec![
                (MIDNIGHT + 15 * HOUR, ExitMode::PauseProfit),
                (MIDNIGHT + 15 * HOUR + HOUR / 2, ExitMode::Running),
                (MIDNIGHT + 18 * HOUR, ExitMode::PauseAll),
                (MIDNIGHT + 18 * HOUR + HOUR / 4, ExitMode::Running),
                (MIDNIGHT + 22 * HOUR, ExitMode::EmergencyFlatten),
            ],
            ticks,
        }
    }

    /// Leaves of the ticks only those from `from` to before `to`.
    fn cut(&mut self, from: usize, to: usize) {
        self.ticks = self.ticks[from..to].to_vec();
    }

    /// Writes everything into a folder.
    fn written(&self) -> Folder {
        let folder = Folder::new();
        folder.write("rules.toml", RULES);
        let mut text = "ts,symbol,price\n".to_owned();
        for tick in &self.ticks {
            writeln!(text, "{},{},{}", tick.ts, tick.symbol, tick.price).unwrap();
        }
        folder.write("ticks.csv", text);
        let mut text = "position_id,symbol,qty,avg_price,entry_ts,profile\n".to_owned();
        for row in &self.positions {
            let PositionRow {
                id,
                symbol,
                qty,
                avg,
                entry_ts,
                profile,
            } = row;
            let avg = avg.unwrap();
            writeln!(text, "{id},{symbol},{qty},{avg},{entry_ts},{profile}").unwrap();
        }
        folder.write("positions.csv", text);
        let mut text = "symbol,atr_pct,prev_close\n".to_owned();
        for (symbol, context) in &self.contexts {
            let atr = context.atr_pct.unwrap();
            let close = context.prev_close.as_ref().map(Price::to_string).unwrap();
            writeln!(text, "{symbol},0.{atr:06},{close}").unwrap();
        }
        folder.write("atr.csv", text);
        let mut text = "ts,mode\n".to_owned();
        for (ts, mode) in &self.control {
            writeln!(text, "{ts},{mode}").unwrap();
        }
        folder.write("control.csv", text);
        folder
    }

    /// Returns the decisions of the oracle.
    fn judged(&self, fills: Fills) -> String {
        let rules: BTreeMap<String, BTreeMap<String, Value>> = toml::from_str(RULES).unwrap();
        let recording = Recording {
            ticks: &self.ticks,
            positions: &self.positions,
            profiles: &rules["profiles"],
            contexts: &self.contexts,
            control: &self.control,
            fills,
        };
        csv(&recording.replay().0)
    }
}

/// Replays `folder` with each of `pairs` of workers and batch, and compares.
fn assert_all_give(folder: &Folder, expected: &str, pairs: &[(u32, u32)], options: &[&str]) {
    for (workers, batch) in pairs {
        let (workers, batch) = (workers.to_string(), batch.to_string());
        let mut all = vec!["--workers", workers.as_str(), "--batch", batch.as_str()];
        all.extend(options);
        let ended = folder.replay(&all);
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        let out = ended.out.unwrap();
        let differing = out.lines().zip(expected.lines()).position(|(a, b)| a != b);
        assert!(
            out == expected,
            "{all:?}: {} lines instead of {}, the first other one is {:?}",
            out.lines().count(),
            expected.lines().count(),
            differing.map(|at| (out.lines().nth(at), expected.lines().nth(at))),
        );
    }
}

/// Returns how many decisions there are for each reason.
fn tally(decisions: &str) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for line in decisions.lines().skip(1) {
        let reason = line.split(',').nth(3).unwrap();
        *tally.entry(reason.to_owned()).or_default() += 1;
    }
    tally
}

#[test]
fn a_recorded_day_gives_the_decisions_of_the_oracle_for_every_batch_and_number_of_workers() {
    let Some(file) = data("ticks-2013-10-07.csv.gz") else {
        return;
    };
    let day = Day::read(&file);
    assert_eq!(day.ticks.len(), 388_417);
    let folder = day.written();
    let expected = day.judged(Fills::Immediate);
    println!("{:?}", tally(&expected));
    for reason in [
        "SL1",
        "SL2",
        "TP1",
        "TP2",
        "TP3",
        "STOP_FLOOR",
        "TRAIL",
        "TRAIL_PARTIAL",
        "CUSTOM",
    ] {
        assert!(
            tally(&expected).contains_key(reason),
            "{reason} is never decided"
        );
    }
    let pairs = [
        (1, 64),
        (1, 4_096),
        (2, 64),
        (2, 4_096),
        (4, 64),
        (4, 4_096),
    ];
    assert_all_give(&folder, &expected, &pairs, &[]);
    // The recorded file itself, compressed and with its own columns.
    let recorded = ["--ticks", file.to_str().unwrap()];
    assert_all_give(&folder, &expected, &[(1, 4_096)], &recorded);
}

#[test]
fn a_recorded_day_without_fills_gives_the_decisions_of_the_oracle() {
    let Some(file) = data("ticks-2013-10-07.csv.gz") else {
        return;
    };
    let day = Day::read(&file);
    let expected = day.judged(Fills::None);
    println!("{:?}", tally(&expected));
    assert_all_give(
        &day.written(),
        &expected,
        &[(1, 4_096), (2, 64)],
        &["--fills", "none"],
    );
}

/// Flushing at every event takes minutes where several workers share two cores, so only a part of
/// the day, around the open; all of it with `TURNSTILE_WHOLE_DAY` set.
#[test]
fn one_event_at_a_time_gives_the_decisions_of_the_oracle() {
    let Some(file) = data("ticks-2013-10-07.csv.gz") else {
        return;
    };
    let mut day = Day::read(&file);
    if std::env::var_os("TURNSTILE_WHOLE_DAY").is_none() {
        day.cut(30_000, 45_000);
    }
    let expected = day.judged(Fills::Immediate);
    println!("{:?}", tally(&expected));
    assert_all_give(&day.written(), &expected, &[(1, 1), (2, 1), (4, 1)], &[]);
}
