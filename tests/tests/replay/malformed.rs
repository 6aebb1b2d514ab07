//! What is malformed: nothing is written, and file, line, column and reason are told.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;

use crate::rig::{DEFAULT_RULES, Folder};

/// Replays with one file replaced, and returns what was told.
fn refused(name: &str, content: impl AsRef<[u8]>) -> String {
    let folder = Folder::new();
    folder.write(name, content);
    let before = folder.names();
    let ended = folder.replay(&[]);
    assert_eq!(ended.status, 2, "{}", ended.stderr);
    assert_eq!(folder.names(), before, "nothing is left behind");
    ended.stderr
}

/// Checks each content of the file `name`: where the fault is, and how its reason begins.
fn assert_refused(name: &str, header: &str, faults: &[(&str, u32, &str, &str)]) {
    for (rows, line, column, reason) in faults {
        let told = refused(name, format!("{header}\n{rows}\n"));
        let start = format!("turnstile: {name}: line {line}, column {column}: {reason}");
        assert!(told.starts_with(&start), "{rows:?}\n{told}\n{start}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn a_tick_that_cannot_be_one_is_refused() {
    let faults = [
        ("yesterday,A,1,", 2, "ts", "time expected"),
        ("2013-10-07T08:00:00,A,1,", 2, "ts", "time expected"),
        ("-1,A,1,", 2, "ts", "time must not lie before 1970"),
        ("5,A,1,\n4,A,1,", 3, "ts", "time must not fall"),
        ("1,A-B,1,", 2, "symbol", "symbol of 1 to 9"),
        ("1,A,x,", 2, "price", "price expected"),
        ("1,A,1e3,", 2, "price", "price expected"),
        ("1,A,,", 2, "price", "price expected"),
        ("1,A,0,", 2, "price", "price must be positive"),
        ("1,A,-1,", 2, "price", "price must be positive"),
        (
            "1,A,1.00001,",
            2,
            "price",
            "price may have at most 4 decimals",
        ),
        ("1,A,1,-0.5", 2, "bid", "price must not be negative"),
        (
            "1,A,1,0.00001",
            2,
            "bid",
            "price may have at most 4 decimals",
        ),
        ("1,A,1", 2, "bid", "4 fields expected, were 3"),
        ("1,A,1,1,1", 2, "5", "4 fields expected, were 5"),
        ("1,A,1,1\n\n2,A,?,1", 4, "price", "price expected"),
    ];
    assert_refused("ticks.csv", "ts,symbol,price,bid", &faults);
    let faults = [
        ("1,A,1,one,", 2, "volume", "number expected"),
        (
            "1,A,1,,1.00001",
            2,
            "ask",
            "price may have at most 4 decimals",
        ),
    ];
    assert_refused("ticks.csv", "ts,symbol,price,volume,ask", &faults);
}

#[test]
fn a_position_that_cannot_be_one_is_refused() {
    let faults = [
        (",A,7,100,0,", 2, "position_id", "identifier"),
        (
            "p1,A,7,100,0,\np1,A,7,100,0,",
            3,
            "position_id",
            "duplicate position",
        ),
        ("p1,,7,100,0,", 2, "symbol", "symbol of 1 to 9"),
        ("p1,A,7.5,100,0,", 2, "qty", "whole number expected"),
        (
            "p1,A,7,100.00001,0,",
            2,
            "avg_price",
            "price may have at most 4 decimals",
        ),
        ("p1,A,7,?,0,", 2, "avg_price", "price expected"),
        ("p1,A,7,100,noon,", 2, "entry_ts", "time expected"),
        (
            "p1,A,7,100,0,tight",
            2,
            "profile",
            "unknown profile \"tight\"",
        ),
    ];
    let header = "position_id,symbol,qty,avg_price,entry_ts,profile";
    assert_refused("positions.csv", header, &faults);
}

#[test]
fn atr_and_control_that_cannot_be_are_refused() {
    let faults = [
        ("A,0.01,1\nA,0.01,1", 3, "symbol", "duplicate symbol A"),
        (
            "A,0.0000001,1",
            2,
            "atr_pct",
            "number may have at most 6 decimals",
        ),
        ("A,,1", 2, "atr_pct", "number expected"),
        ("A,0.01,0", 2, "prev_close", "price must be positive"),
        (
            "A,0.01,1.00001",
            2,
            "prev_close",
            "price may have at most 4 decimals",
        ),
    ];
    assert_refused("atr.csv", "symbol,atr_pct,prev_close", &faults);
    let faults = [
        ("2,RUNNING,\n1,RUNNING,", 3, "ts", "time must not fall"),
        ("1,STOP,", 2, "mode", "unknown mode \"STOP\""),
        (
            "1,PAUSE_ENTRY,exit",
            2,
            "mode",
            "unknown mode \"PAUSE_ENTRY\"",
        ),
        (
            "1,PAUSE_PROFIT,reentry",
            2,
            "mode",
            "unknown mode \"PAUSE_PROFIT\"",
        ),
        (
            "1,RUNNING,all",
            2,
            "scope",
            "exit, reentry or regime expected",
        ),
    ];
    assert_refused("control.csv", "ts,mode,scope", &faults);
}

#[test]
fn a_header_that_lacks_or_adds_a_column_is_refused() {
    let told = refused("ticks.csv", "ts,symbol\n1,A\n");
    assert!(
        told.contains("ticks.csv: line 1, column price: the header lacks"),
        "{told}"
    );
    let told = refused("ticks.csv", "");
    assert!(
        told.contains("ticks.csv: line 1, column ts: the header lacks"),
        "{told}"
    );
    let told = refused(
        "positions.csv",
        "position_id,symbol,qty,avg_price,entry_ts,note\n",
    );
    assert!(
        told.contains("positions.csv: line 1, column note: unknown column"),
        "{told}"
    );
    let told = refused("control.csv", "ts,mode,mode\n");
    assert!(
        told.contains("control.csv: line 1, column mode: the column is there twice"),
        "{told}"
    );
}

#[test]
fn bad_utf_8_is_refused() {
    let told = refused(
        "positions.csv",
        b"position_id,symbol,qty,avg_price,entry_ts\n\xff,A,7,100,0\n",
    );
    assert!(
        told.contains("positions.csv: line 2, column position_id: UTF-8 expected"),
        "{told}"
    );
    let told = refused("ticks.csv", b"ts,symbol,price,source\n1,A,1,\xff\n");
    assert!(
        told.contains("ticks.csv: line 2, column source: UTF-8 expected"),
        "{told}"
    );
}

#[test]
fn rules_that_are_unknown_or_out_of_range_are_refused_with_the_path_of_their_key() {
    let told = refused(
        "rules.toml",
        "[profiles.default]\nsl1 = { pnl = 0.03 }\nstop = 1\n[profiles.other]\ntp1 = { pnl = 0.5 }\n",
    );
    for part in [
        "rules.toml: line 2, column profiles.default.sl1.pnl: -0.5 < x <= 0 expected, was 0.03",
        "rules.toml: line 3, column profiles.default.stop: unknown key",
        "rules.toml: line 5, column profiles.other.tp1.pnl: 0 <= x < 0.5 expected, was 0.5",
    ] {
        assert!(told.contains(part), "{told}\n{part}");
    }
    let told = refused("rules.toml", "[profiles.default\n");
    assert!(told.contains("rules.toml: line 1: "), "{told}");
    let told = refused("rules.toml", "");
    assert!(
        told.contains("positions.csv: line 2, column profile: unknown profile"),
        "{told}"
    );
}

#[test]
fn a_fault_after_many_ticks_leaves_nothing_behind_and_keeps_what_was_there() {
    let folder = Folder::new();
    let rows: String = (0..30_000)
        .map(|n| format!("{n},A,{}\n", 90 + n % 20))
        .collect();
    folder.write("ticks.csv", format!("ts,symbol,price\n{rows}5,A,100\n"));
    folder.write("out.csv", "of yesterday");
    let before = folder.names();
    let ended = folder.replay(&[]);
    assert_eq!(ended.status, 2);
    assert!(
        ended
            .stderr
            .contains("line 30002, column ts: time must not fall"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.out.as_deref(), Some("of yesterday"));
    assert_eq!(folder.names(), before);
}

#[test]
fn a_compressed_file_that_breaks_off_is_refused_also_where_lines_may_be_left_out() {
    let folder = Folder::new();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"ts,symbol,price\n1,A,97\n").unwrap();
    let whole = encoder.finish().unwrap();
    folder.write("ticks.csv", &whole[..whole.len() - 4]);
    for options in [[].as_slice(), &["--skip-bad"]] {
        let ended = folder.replay(options);
        assert_eq!(ended.status, 2, "{}", ended.stderr);
        assert!(
            ended.stderr.contains("the file cannot be read on"),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.out, None);
    }
}

#[test]
fn bad_lines_are_left_out_and_counted_where_that_is_asked_for() {
    let folder = Folder::new();
    folder.write(
        "positions.csv",
        "position_id,symbol,qty,avg_price,entry_ts\np1,A,7,100,0\np1,A,9,100,0\np2,A,x,100,0\n",
    );
    folder.write("control.csv", "ts,mode\n5,STOP\n");
    folder.write("atr.csv", "symbol,atr_pct\nA,0.01\nA,0.02\n");
    folder.write(
        "ticks.csv",
        "ts,symbol,price\n?,A,1\n9,A,101\n8,A,50\n10,A,97\n11,A\n",
    );
    let ended = folder.replay(&["--skip-bad"]);
    assert_eq!(ended.said(), ["SL1 4 at 97, 97"]);
    assert!(
        ended.stderr.contains("7 malformed lines left out"),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .contains("left out: ticks.csv: line 4, column ts"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.figures()["ticks"], 2);
    assert_eq!(ended.figures()["positions"], 1);
    // What is no line is refused all the same.
    folder.write(
        "rules.toml",
        format!("{DEFAULT_RULES}\n[profiles.b]\nx = 1\n"),
    );
    assert_eq!(folder.replay(&["--skip-bad"]).status, 2);
}
