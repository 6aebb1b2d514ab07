//! The files of the daily strategy through the program into the tables.

use std::fs::write;
use std::path::Path;

use serde_json::{Value, json};
use turnstile_tests::market::{GeneratedMarket, MarketShape};
use turnstile_tests::{Program, System};

const KINDS: [(&str, &str); 5] = [
    ("fundamentals", "market.fundamentals"),
    ("flows", "market.investor_flows"),
    ("disclosures", "market.disclosures"),
    ("rankings", "market.stock_rankings"),
    ("sectors", "market.stocks"),
];

async fn import(system: &System, arguments: &[&str]) -> (bool, String) {
    let config = system.config_file("");
    let all = [&["--config", &config, "import"], arguments].concat();
    let log = system.folder().join("import.log");
    let program = Program::start(&all, &system.environment(), &log);
    program.output().await
}

fn report(output: &str) -> Value {
    let line = output.lines().rfind(|line| line.starts_with('{'));
    serde_json::from_str(line.unwrap_or_else(|| panic!("{output}"))).expect("JSON")
}

/// Content of a table without its times.
async fn content(system: &System, table: &str) -> String {
    let query = format!(
        "SELECT coalesce(md5(string_agg((to_jsonb(t) - 'updated_ts' - 'created_ts')::text, E'\\n'
             ORDER BY (to_jsonb(t) - 'updated_ts' - 'created_ts')::text)), '') FROM {table} t"
    );
    system.one(&query, &[]).await
}

fn rows(folder: &Path, name: &str) -> i64 {
    let mut reader = csv::Reader::from_path(folder.join(format!("{name}.csv"))).expect("a file");
    i64::try_from(reader.records().count()).expect("few rows")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_market_is_stored_once_and_known_again() {
    let system = System::start(&[], "").await;
    let shape = MarketShape {
        sessions: 90,
        symbols: 200,
    };
    let market = GeneratedMarket::new(7, shape, None);
    let folder = system.folder();
    market.write_imports(&folder);
    let file = |name: &str| folder.join(format!("{name}.csv")).display().to_string();
    let (is_ok, output) = import(&system, &["daily", &file("daily")]).await;
    assert!(is_ok, "{output}");
    for (kind, table) in KINDS {
        let (is_ok, output) = import(&system, &[kind, &file(kind)]).await;
        assert!(is_ok, "{output}");
        let told = report(&output);
        assert_eq!(
            told["changed"],
            json!(rows(&folder, kind)),
            "{kind}: {output}"
        );
        assert_eq!(told["unknown_symbols"], json!(0), "{kind}");
        let first = content(&system, table).await;
        let (is_ok, output) = import(&system, &[kind, &file(kind)]).await;
        assert!(is_ok && output.contains("stored already"), "{output}");
        let (is_ok, output) = import(&system, &[kind, &file(kind), "--again"]).await;
        assert!(is_ok, "{output}");
        assert_eq!(report(&output)["changed"], json!(0), "{kind}");
        assert_eq!(content(&system, table).await, first, "{kind}");
    }
    // What the generator says and what is stored are the same, to the last digit.
    let company = market.companies.iter().max_by_key(|one| one.figures.len());
    let company = company.expect("figures");
    let stored = system
        .query(
            "SELECT report_date::text, (per * 1000000)::bigint, eps::bigint FROM market.fundamentals
             WHERE symbol = $1 ORDER BY report_date",
            &[&company.symbol],
        )
        .await;
    let stored: Vec<_> = stored
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let told = company.figures.iter();
    let told: Vec<(String, Option<i64>, Option<i64>)> = told
        .map(|one| (one.day.to_string(), one.ratios[0], one.eps))
        .collect();
    assert_eq!(stored, told);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn later_lines_count_empty_fields_say_nothing_and_unknown_issues_get_a_row() {
    let system = System::start(&[], "").await;
    let file = system.folder().join("rows.csv");
    let path = file.display().to_string();
    let figures = "roe,symbol,report_date,per\n0.1,A1,2026-02-20,5\n0.15,A1,2026-02-20,6.5\n,B2,2026-02-20,7\n";
    write(&file, figures).expect("written");
    let (is_ok, output) = import(&system, &["fundamentals", &path]).await;
    assert!(is_ok, "{output}");
    assert_eq!(report(&output)["unknown_symbols"], json!(2), "{output}");
    assert!(output.contains("2 unknown symbols"), "{output}");
    let stored =
        "SELECT string_agg(concat_ws(' ', symbol, trim_scale(per), trim_scale(roe), source), '; '
        ORDER BY symbol) FROM market.fundamentals";
    assert_eq!(
        system.one::<String>(stored, &[]).await,
        "A1 6.5 0.15 IMPORT; B2 7 IMPORT"
    );
    write(&file, "symbol,report_date,per,roe\nA1,2026-02-20,8,\n").expect("written");
    let (is_ok, output) = import(&system, &["fundamentals", &path]).await;
    assert!(is_ok, "{output}");
    assert_eq!(
        system.one::<String>(stored, &[]).await,
        "A1 8 0.15 IMPORT; B2 7 IMPORT"
    );
    let unknown = "SELECT count(*) FROM market.stocks WHERE market = 'UNKNOWN'";
    assert_eq!(system.one::<i64>(unknown, &[]).await, 2);

    // A day without an issue shows as a gap.
    system
        .execute(
            "INSERT INTO market.daily_bars (symbol, trade_date, open, high, low, close, volume, value, source)
             VALUES ('A1', '2026-02-19', 1, 1, 1, 1, 1, 1, 'IMPORT'), ('B2', '2026-02-19', 1, 1, 1, 1, 1, 1, 'IMPORT'),
                 ('A1', '2026-02-20', 1, 1, 1, 1, 1, 1, 'IMPORT')",
            &[],
        )
        .await;
    system
        .execute(
            "UPDATE market.stocks SET market = 'KOSPI', instrument_type = 'STOCK'",
            &[],
        )
        .await;
    write(
        &file,
        "symbol,date,foreign_net\nA1,2026-02-19,5\nB2,2026-02-19,5\n",
    )
    .expect("written");
    let (is_ok, output) = import(&system, &["flows", &path]).await;
    assert!(is_ok, "{output}");
    let (is_ok, output) = import(&system, &["gaps"]).await;
    assert!(is_ok, "{output}");
    for line in [
        "2026-01-21 to 2026-02-20: 2 sessions, 2 issues",
        "bars: 1 rows are missing, of 1 sessions",
        "  2026-02-20  1: B2",
        "flows: 2 rows are missing, of 1 sessions",
        "  2026-02-20  2: A1, B2",
        "fundamentals: nothing is missing",
    ] {
        assert!(output.lines().any(|told| told == line), "{line}: {output}");
    }

    // A wrong file is told at its place, and one of another kind is not noted.
    write(
        &file,
        "symbol,date,foreign_net\nA1,2026-02-20,1\nA1,2026-02-30,1\n",
    )
    .expect("written");
    let (is_ok, output) = import(&system, &["flows", &path]).await;
    assert!(!is_ok && output.contains("line 3, column date"), "{output}");
    let (is_ok, output) = import(&system, &["flows", &path, "--skip-bad"]).await;
    assert!(is_ok, "{output}");
    assert_eq!(report(&output)["skipped"], json!(1));
    let (is_ok, output) = import(&system, &["sectors", &path, "--again"]).await;
    assert!(
        !is_ok && output.contains("column date: unknown column"),
        "{output}"
    );
    system.stop().await;
}
