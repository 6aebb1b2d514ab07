//! `docs/metrics.md` and the dashboard say what is so: every limit of the table, and only metrics that the
//! running processes show.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::float_arithmetic, reason = "percent for people")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use turnstile_connectors::monitoring::rules::{RULES, Unit};
use turnstile_connectors::postgres::LogLevel;
use turnstile_tests::{Stock, System, eventually};

fn doc(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    std::fs::read_to_string(docs.join(name)).unwrap()
}

/// The rows of the tables of metrics: cells, without the marks of code.
fn rows() -> Vec<Vec<String>> {
    let text = doc("metrics.md");
    let cells = |line: &str| -> Vec<String> {
        let cells = line.trim_matches('|').split(" |");
        cells
            .map(|cell| cell.replace('`', "").trim().to_owned())
            .collect()
    };
    let rows = text.lines().filter(|line| line.starts_with("| "));
    rows.map(cells)
        .filter(|row| row.len() == 7 && row[0] != "row")
        .collect()
}

/// A limit as the page has it.
fn shown(unit: Unit, is_below: bool, limit: Option<f64>, level: LogLevel) -> String {
    let Some(limit) = limit else {
        return String::new();
    };
    let sign = if is_below { '<' } else { '>' };
    let mark = if level == LogLevel::Info {
        " (INFO)"
    } else {
        ""
    };
    match unit {
        Unit::Seconds => format!("{sign} {limit} s{mark}"),
        Unit::Share => format!("{sign} {} %{mark}", (limit * 1_000.0).round() / 10.0),
        Unit::Percent => format!("{sign} {limit} %{mark}"),
        Unit::Count => format!("{sign} {limit}{mark}"),
    }
}

#[test]
fn the_page_has_every_limit_of_the_table_and_no_other() {
    let mut page: BTreeMap<String, (String, String)> = BTreeMap::new();
    for row in rows() {
        let (alarm, warning, critical) = (&row[4], &row[5], &row[6]);
        if !alarm.is_empty() && !alarm.starts_with("as ") {
            page.insert(alarm.clone(), (warning.clone(), critical.clone()));
        }
    }
    // It is no limit of a value: the probe raises it.
    let probe = page.remove("postgres_unreachable").unwrap();
    assert!(probe.1.contains("P0"), "{probe:?}");
    let table: BTreeMap<String, (String, String)> = RULES
        .iter()
        .map(|rule| {
            let shown = |limit, level| shown(rule.unit, rule.is_below, limit, level);
            let warning = shown(rule.warning, rule.warning_level);
            (
                rule.name.to_owned(),
                (warning, shown(rule.danger, LogLevel::Critical)),
            )
        })
        .collect();
    assert_eq!(page, table);
    // What a rule looks at has a row.
    let metrics: BTreeSet<String> = rows().into_iter().map(|row| row[1].clone()).collect();
    for metric in RULES.iter().flat_map(|rule| rule.reading.metrics()) {
        assert!(metrics.contains(metric), "{metric}");
    }
}

/// Names of the metrics in expressions of the dashboard.
fn of_dashboard() -> BTreeSet<String> {
    let dashboard: Value = serde_json::from_str(&doc("grafana/turnstile.json")).unwrap();
    let mut names = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().unwrap();
            let is_letter =
                |letter: char| letter.is_ascii_lowercase() || "_0123456789".contains(letter);
            // A selector follows the name.
            for (at, _) in expression.match_indices("{instance") {
                let before = &expression[..at];
                let begin = before
                    .rfind(|letter| !is_letter(letter))
                    .map_or(0, |at| at + 1);
                names.insert(before[begin..].to_owned());
            }
        }
    }
    assert!(names.len() > 20, "{names:?}");
    names
}

/// Returns whether `text` shows the metric, a histogram by its count.
fn shows(text: &str, metric: &str) -> bool {
    let starts = [metric.to_owned(), format!("{metric}_count")];
    text.lines().any(|line| {
        let name = line.split(['{', ' ']).next().unwrap_or_default();
        starts.iter().any(|start| start == name)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_processes_show_every_metric_of_page_and_dashboard() {
    let stock = Stock {
        symbol: "005930",
        close: 100_000,
        held: 100,
    };
    let mut system = System::start(&[stock], "").await;
    system.jobs = system.jobs.replace("replay = false", "replay = true");
    // Port 0 is not told; a listener that is dropped has had a free one.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap();
    drop(free);
    let stream = system
        .stream(&format!("metrics_listen = \"{listen}\"\n"))
        .await;
    let (bff, url) = system.bff().await;
    system.trade("005930", 100_000).await;
    let read = async |url: &str| {
        let answer = reqwest::get(format!("{url}/metrics")).await;
        answer.unwrap().text().await.unwrap()
    };
    let listen = format!("http://{listen}");
    let wanted = |process: &str| -> Vec<String> {
        let of = rows().into_iter();
        let of = of.filter(|row| row[3] == "both" || row[3] == process);
        of.map(|row| row[1].clone()).collect()
    };
    for (process, url) in [("stream", &listen), ("bff", &url)] {
        let wanted = wanted(process);
        assert!(!wanted.is_empty());
        let lacking = std::cell::RefCell::new(Vec::new());
        eventually(process, async || {
            let text = read(url).await;
            let not_shown = wanted.iter().filter(|metric| !shows(&text, metric));
            *lacking.borrow_mut() = not_shown.cloned().collect();
            println!("{process} lacks {:?}", lacking.borrow());
            lacking.borrow().is_empty()
        })
        .await;
    }
    let (of_stream, of_bff) = (read(&listen).await, read(&url).await);
    for metric in of_dashboard() {
        assert!(
            shows(&of_stream, &metric) || shows(&of_bff, &metric),
            "{metric}"
        );
    }
    bff.stop().await;
    stream.stop().await;
    system.stop().await;
}
