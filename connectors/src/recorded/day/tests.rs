use std::io::Write as _;

use tempfile::TempDir;

use super::*;
use crate::recorded::{OnFault, read_contexts, read_control, read_positions, read_rules};

struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let mut file = std::fs::File::create(folder.path().join(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
        Self(folder)
    }

    fn day(&self) -> Day {
        let at = |name: &str| self.0.path().join(name);
        let rules = read_rules(&at("rules")).unwrap();
        let (positions, _) = read_positions(&at("positions"), &rules, OnFault::Stop).unwrap();
        let (control, _) = read_control(&at("control"), OnFault::Stop).unwrap();
        Day {
            rules,
            contexts: read_contexts(&at("atr"), OnFault::Stop).unwrap().0,
            positions,
            control,
            ticks: Ticks::open(&at("ticks"), OnFault::Stop, None).unwrap(),
            reentry: None,
        }
    }
}

fn told(timed: &Timed) -> String {
    let what = match &timed.event {
        Event::Tick(tick) => format!("{} {}", tick.symbol, tick.last),
        Event::Changes(changes) => match changes.as_slice() {
            [_, Change::Position(position)] => {
                format!("{} of {}", position.id, recorded_time(position.entry))
            }
            [Change::ExitMode(mode)] => mode.to_string(),
            [Change::ReentryMode(mode)] => format!("reentry {mode}"),
            many => format!("{} changes", many.len()),
        },
        other => format!("{other:?}"),
    };
    format!("{}: {what}", recorded_time(timed.time))
}

/// Returns all events, taken so many at a time.
fn events(files: &Files, max: usize) -> (Vec<Timed>, DayReport) {
    let (mut feed, report) = files.day().into_feed(CancellationToken::new()).unwrap();
    let mut all = Vec::new();
    loop {
        let mut events = Vec::new();
        let is_open = feed.next(max, &mut events);
        assert!(events.len() <= max);
        all.append(&mut events);
        if !is_open {
            let report = std::mem::take(&mut *report.lock().unwrap());
            return (all, report);
        }
    }
}

fn files() -> Files {
    Files::new(&[
        ("rules", "[profiles.default]\n"),
        ("atr", "symbol,atr_pct\nA,0.02\n"),
        (
            "positions",
            "position_id,symbol,qty,avg_price,entry_ts\nb,A,1,1,5\na,A,1,1,10\nc,A,1,1,12\nd,A,1,1,99\n",
        ),
        (
            "control",
            "ts,mode,scope\n3,PAUSE_ALL,exit\n10,RUNNING,exit\n10,PAUSE_ENTRY,reentry\n",
        ),
        ("ticks", "ts,symbol,price\n10,A,1\n10,B,2\n11,A,3\n20,A,4\n"),
    ])
}

#[test]
fn events_of_one_time_are_control_then_positions_then_ticks_each_with_its_own() {
    let files = files();
    for max in [1, 3, 100] {
        let (events, report) = events(&files, max);
        assert!(events.windows(2).all(|pair| pair[0].time < pair[1].time));
        let told: Vec<String> = events.iter().map(told).collect();
        let expected = [
            "0: 3 changes",
            "3: PAUSE_ALL",
            "10: RUNNING",
            "11: reentry PAUSE_ENTRY",
            "12: a of 10",
            "13: b of 5",
            "14: A 1",
            "15: B 2",
            "16: A 3",
            "17: c of 12",
            "20: A 4",
            "99: d of 99",
        ];
        assert_eq!(told, expected);
        assert_eq!(report.ticks, 4);
        assert!(report.error.is_none());
    }
}

#[test]
fn rules_stand_before_an_event_at_the_first_microsecond() {
    let files = Files::new(&[
        ("rules", ""),
        ("atr", "symbol,atr_pct\n"),
        ("positions", "position_id,symbol,qty,avg_price,entry_ts\n"),
        ("control", "ts,mode\n"),
        ("ticks", "ts,symbol,price\n0,A,1\n"),
    ]);
    let (events, _) = events(&files, 10);
    assert!(events[0].time < events[1].time);
    assert_eq!(told(&events[1]), "0: A 1");
}

#[test]
fn a_bad_tick_ends_the_feed_and_is_reported() {
    let files = files();
    let bad = "ts,symbol,price\n10,A,1\n9,A,1\n";
    std::fs::write(files.0.path().join("ticks"), bad).unwrap();
    let (events, report) = events(&files, 100);
    assert!(events.iter().all(|timed| !told(timed).ends_with("d of 99")));
    let error = report.error.unwrap().to_string();
    assert!(error.ends_with("line 3, column ts: time must not fall, was 9 µs after 10 µs"));
}

#[test]
fn a_feed_that_is_stopped_ends() {
    let stop = CancellationToken::new();
    let (mut feed, _) = files().day().into_feed(stop.clone()).unwrap();
    let mut events = Vec::new();
    assert!(feed.next(2, &mut events));
    stop.cancel();
    assert!(!feed.next(2, &mut events));
}
