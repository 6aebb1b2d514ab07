//! The worked cases of the decision contract, as files, and what else a replay promises of the
//! decisions.

use std::path::{Path, PathBuf};

use crate::rig::{Folder, HEADER, replay_in};

/// Seconds after noon in Seoul.
fn ticks(rows: &[(u32, &str)]) -> String {
    let rows = rows
        .iter()
        .map(|(second, price)| format!("2026-11-24T12:00:{second:02}+09:00,A,{price}\n"));
    format!("ts,symbol,price\n{}", rows.collect::<String>())
}

fn case(qty: u32, avg: &str, prices: &[(u32, &str)], options: &[&str]) -> Vec<String> {
    let folder = Folder::new();
    let entry = "2026-11-23T10:00:00+09:00";
    folder.write(
        "positions.csv",
        format!("position_id,symbol,qty,avg_price,entry_ts\np1,A,{qty},{avg},{entry}\n"),
    );
    folder.write("ticks.csv", ticks(prices));
    folder.replay(options).said()
}

const NOTHING: [&str; 0] = [];

#[test]
fn case_1_take_profit_then_floor_after_a_later_slot() {
    // The contract's ticks at 101 and 107 come before noon.
    let folder = Folder::new();
    folder.write(
        "positions.csv",
        "position_id,symbol,qty,avg_price,entry_ts\np1,A,100,100,2026-11-23T10:00:00+09:00\n",
    );
    let rest = ticks(&[(0, "100.6"), (1, "100.5"), (3, "100.4")]);
    let (header, rest) = rest.split_once('\n').unwrap();
    folder.write(
        "ticks.csv",
        format!(
            "{header}\n2026-11-24T11:00:00+09:00,A,101\n2026-11-24T11:00:01+09:00,A,107\n{rest}"
        ),
    );
    assert_eq!(
        folder.replay(&[]).decisions(),
        "1795485601000000,p1,A,TP1,OPEN,10,107,107,p1:1:OPEN:TP1:1\n\
         1795489203000000,p1,A,STOP_FLOOR,TP1_DONE,90,100.4,100.6,p1:1:TP1_DONE:STOP_FLOOR:1\n"
    );
}

#[test]
fn case_2_half_of_seven_then_the_rest() {
    let said = case(7, "100", &[(0, "97"), (1, "96.9"), (2, "95")], &[]);
    assert_eq!(said, ["SL1 4 at 97, 97", "SL2 3 at 95, 95"]);
}

#[test]
fn case_3_the_true_average_decides() {
    assert_eq!(case(150, "71666.67", &[(0, "72500")], &[]), NOTHING);
}

#[test]
fn case_4_an_absent_stop_sells_nothing() {
    let folder = Folder::new();
    folder.write(
        "rules.toml",
        "[profiles.default]\ntp1 = { pnl = 0.07, qty = 0.1 }\n",
    );
    folder.write("ticks.csv", ticks(&[(0, "60")]));
    assert_eq!(folder.replay(&[]).decisions(), "");
}

#[test]
fn case_5_a_recovery_begins_the_run_anew() {
    let prices = [
        (0, "107"),
        (3, "100.5"),
        (4, "100.7"),
        (5, "100.5"),
        (6, "100.4"),
    ];
    let said = case(100, "100", &prices, &[]);
    assert_eq!(
        said,
        ["TP1 10 at 107, 107", "STOP_FLOOR 90 at 100.4, 100.6"]
    );
}

#[test]
fn case_6_without_fills_a_full_stop_takes_the_place_of_the_weaker_order() {
    let prices = [(0, "97"), (1, "95")];
    let said = case(7, "100", &prices, &["--fills", "none"]);
    assert_eq!(said, ["SL1 4 at 97, 97", "SL2 7 at 95, 95"]);
    let said = case(7, "100", &prices, &["--fills", "immediate"]);
    assert_eq!(said, ["SL1 4 at 97, 97", "SL2 3 at 95, 95"]);
}

/// Returns the folder of the documentation.
fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

#[test]
fn the_documented_example_gives_the_documented_decisions() {
    let text = std::fs::read_to_string(docs().join("decisions.md")).unwrap();
    for (fills, expected) in [
        ("immediate", "decisions.csv"),
        ("none", "decisions-none.csv"),
    ] {
        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("out.csv");
        let command = format!(
            "replay --ticks docs/example/ticks.csv --positions docs/example/positions.csv \\\n  \
             --rules docs/example/rules.toml --fills {fills} --out {expected}"
        );
        assert!(
            text.contains(&command),
            "docs/decisions.md shows\n{command}"
        );
        let arguments = command
            .replace("\\\n", "")
            .replace(expected, file.to_str().unwrap());
        let arguments: Vec<&str> = arguments.split_whitespace().skip(1).collect();
        let ended = replay_in(&docs().join(".."), &arguments);
        assert!(
            ended.status.success(),
            "{}",
            String::from_utf8_lossy(&ended.stderr)
        );
        let decisions = std::fs::read_to_string(&file).unwrap();
        let kept = std::fs::read_to_string(docs().join("example").join(expected)).unwrap();
        assert_eq!(decisions, kept, "docs/example/{expected}");
        assert!(
            text.contains(&decisions),
            "docs/decisions.md shows\n{decisions}"
        );
    }
}

#[test]
fn events_of_one_time_are_control_then_positions_then_ticks() {
    let folder = Folder::new();
    folder.write(
        "positions.csv",
        "position_id,symbol,qty,avg_price,entry_ts\np2,A,7,100,0\np1,A,7,100,0\n",
    );
    folder.write(
        "control.csv",
        "ts,mode,scope\n5,PAUSE_ALL,reentry\n1000,PAUSE_ALL,\n2000,RUNNING,exit\n",
    );
    folder.write("ticks.csv", "ts,symbol,price\n1000,A,97\n2000,A,97\n");
    // At 1000 the mode, two positions, and the tick; at 2000 the mode, which judges all of them.
    assert_eq!(
        folder.replay(&[]).decisions(),
        "2000,p1,A,SL1,OPEN,4,97,97,p1:1:OPEN:SL1:1\n\
         2000,p2,A,SL1,OPEN,4,97,97,p2:1:OPEN:SL1:1\n"
    );
}

#[test]
fn what_comes_after_the_last_tick_is_still_played() {
    let folder = Folder::new();
    folder.write("control.csv", "ts,mode\n5000000,EMERGENCY_FLATTEN\n");
    assert_eq!(
        folder.replay(&[]).decisions(),
        "5000000,p1,A,FLATTEN,OPEN,7,101,101,p1:1:OPEN:FLATTEN:1\n"
    );
}

#[test]
fn days_count_from_the_entry_also_where_it_lies_before_the_first_tick() {
    let folder = Folder::new();
    folder.write(
        "rules.toml",
        "[profiles.default]\ntime = { max_hold_days = 1 }\n",
    );
    let day = 86_400_000_000_u64;
    // The position takes the microsecond of the first tick.
    let (first, last) = (day - 2, day);
    folder.write(
        "ticks.csv",
        format!("ts,symbol,price\n{first},A,5\n{last},A,6\n"),
    );
    let expected = format!("{day},p1,A,TIME,OPEN,7,6,6,p1:1:OPEN:TIME:1\n");
    assert_eq!(folder.replay(&[]).decisions(), expected);
}

#[test]
fn atr_and_previous_close_are_in_force_before_the_first_event() {
    let folder = Folder::new();
    folder.write(
        "rules.toml",
        "[profiles.default]\natr = { ref = 0.02, factor_min = 0.5, factor_max = 2 }\n\
         sl1 = { pnl = -0.03, qty = 0.5 }\ngap_down = { change = -0.03, window_s = 30 }\n",
    );
    folder.write(
        "atr.csv",
        "prev_close,symbol,atr_pct\n120,A,0.03\n,B,0.01\n",
    );
    folder.write(
        "ticks.csv",
        "ts,symbol,price\n2026-11-24T08:59:59+09:00,A,96\n2026-11-24T08:59:59+09:00,A,95.5\n\
         2026-11-24T09:00:30.999999+09:00,A,116\n",
    );
    assert_eq!(
        folder.replay(&[]).said(),
        ["SL1 4 at 95.5, 95.5"],
        "−3 % × 1.5; the window ends at 09:00:30 sharp"
    );
    folder.write(
        "ticks.csv",
        "ts,symbol,price\n2026-11-24T09:00:29+09:00,A,116\n",
    );
    assert_eq!(folder.replay(&[]).said(), ["GAP_DOWN 7 at 116, 116.4"]);
}

#[test]
fn the_bid_is_judged_and_printed() {
    let folder = Folder::new();
    folder.write(
        "ticks.csv",
        "volume,ask,bid,price,symbol,ts,source\n1,98,97.0000,98.5,A,1000,KIS\n",
    );
    assert_eq!(folder.replay(&[]).said(), ["SL1 4 at 97, 97"]);
}

#[test]
fn quotes_stand_only_where_they_must() {
    let folder = Folder::new();
    folder.write(
        "positions.csv",
        "position_id,symbol,qty,avg_price,entry_ts\n\"a \"\"b\"\", c\",A,7,100,0\n삼성 #1,A,7,100,0\n",
    );
    folder.write("ticks.csv", "ts,symbol,price\n1000,A,97\n");
    assert_eq!(
        folder.replay(&[]).decisions(),
        "1002,\"a \"\"b\"\", c\",A,SL1,OPEN,4,97,97,\"a \"\"b\"\", c:1:OPEN:SL1:1\"\n\
         1002,삼성 #1,A,SL1,OPEN,4,97,97,삼성 #1:1:OPEN:SL1:1\n"
    );
}

#[test]
fn a_position_that_holds_nothing_is_told_once_and_not_judged() {
    let folder = Folder::new();
    folder.write(
        "positions.csv",
        "position_id,symbol,qty,avg_price,entry_ts\np1,A,0,100,0\np2,A,-3,100,0\np3,A,7,-0.5,0\np4,A,7,100,0\n",
    );
    folder.write("ticks.csv", "ts,symbol,price\n1000,A,97\n1001,A,90\n");
    let ended = folder.replay(&[]);
    assert_eq!(ended.said(), ["SL1 4 at 97, 97", "HARDSTOP 3 at 90, 93"]);
    for id in ["p1", "p2", "p3"] {
        let told = ended.stderr.matches(&format!("position {id}: ")).count();
        assert_eq!(told, 1, "{}", ended.stderr);
    }
    assert!(!ended.stderr.contains("position p4"));
}

#[test]
fn without_positions_the_rules_may_be_empty() {
    let folder = Folder::new();
    folder.write("rules.toml", "");
    folder.write(
        "positions.csv",
        "position_id,symbol,qty,avg_price,entry_ts\n",
    );
    let ended = folder.replay(&[]);
    assert_eq!(ended.out.as_deref(), Some(HEADER), "{}", ended.stderr);
    folder.write("ticks.csv", "ts,symbol,price\n");
    assert_eq!(folder.replay(&[]).decisions(), "");
}

#[test]
fn a_day_may_begin_with_the_first_microsecond() {
    let folder = Folder::new();
    folder.write(
        "positions.csv",
        "position_id,symbol,qty,avg_price,entry_ts\n",
    );
    folder.write("control.csv", "ts,mode\n0,PAUSE_ALL\n0,RUNNING\n");
    folder.write("ticks.csv", "ts,symbol,price\n0,A,97\n");
    assert_eq!(folder.replay(&[]).decisions(), "");
    folder.write("control.csv", "ts,mode\n");
    folder.write(
        "positions.csv",
        "position_id,symbol,qty,avg_price,entry_ts\np1,A,7,100,0\n",
    );
    assert_eq!(
        folder.replay(&[]).decisions(),
        "1,p1,A,SL1,OPEN,4,97,97,p1:1:OPEN:SL1:1\n"
    );
}
