//! What the program stores of the daily strategy, compared row by row with a script that shares no code
//! with it: 250 sessions of which the last 33 are real, and figures, flows and disclosures of a seeded
//! market.

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use turnstile_tests::market::{GeneratedMarket, MarketShape};
use turnstile_tests::reference::{compare_decisions, reference};
use turnstile_tests::{Program, System, data};

/// How long the program may take for all days.
const RUN_MAX: Duration = Duration::from_secs(300);
const SEED: u64 = 20_260_220;

/// File of the generated market, columns of its table, and what the file does not tell.
const TABLES: [(&str, &str, &str, &str); 6] = [
    (
        "stocks",
        "symbol text, name text, market text, instrument_type text, status text, sector text,
         market_cap bigint, is_tradable bool, is_managed bool, is_caution bool",
        "market.stocks (symbol, name, market, instrument_type, status, sector, market_cap, is_tradable,
         is_managed, is_caution)",
        "SELECT * FROM file",
    ),
    (
        "bars",
        "trade_date date, symbol text, name text, market text, open numeric, high numeric, low numeric,
         close numeric, volume bigint, value numeric, market_cap numeric, shares bigint, dept text",
        "market.daily_bars (symbol, trade_date, open, high, low, close, volume, value, market_cap,
         shares, source)",
        "SELECT symbol, trade_date, open, high, low, close, volume, value, market_cap, shares, 'IMPORT'
         FROM file",
    ),
    (
        "fundamentals",
        "symbol text, report_date date, per numeric, pbr numeric, psr numeric, roe numeric,
         debt_ratio numeric, eps numeric, bps numeric",
        "market.fundamentals (symbol, report_date, per, pbr, psr, roe, debt_ratio, eps, bps, source)",
        "SELECT *, 'IMPORT' FROM file",
    ),
    (
        "flows",
        "symbol text, trade_date date, foreign_net bigint, institution_net bigint, individual_net bigint",
        "market.investor_flows (symbol, trade_date, foreign_net, institution_net, individual_net, source)",
        "SELECT *, 'IMPORT' FROM file",
    ),
    (
        "disclosures",
        "receipt_no text, symbol text, disclosed_ts timestamptz, title text, url text",
        "market.disclosures (receipt_no, symbol, disclosed_ts, title, url, source)",
        "SELECT *, 'IMPORT' FROM file",
    ),
    (
        "rankings",
        "category text, market text, rank int, symbol text, collected_on date",
        "market.stock_rankings (category, market, rank, symbol, collected_on, source)",
        "SELECT *, 'IMPORT' FROM file",
    ),
];

/// What is stored, in the columns of the script.
const STORED: [(&str, &str); 5] = [
    (
        "universe",
        "SELECT universe_date AS day, symbol, tier, list, exclusion, market, sector, market_cap,
             avg_volume_5d AS avg_volume, avg_value_5d AS avg_value FROM strategy.universe_daily",
    ),
    (
        "factor_scores",
        "SELECT h.as_of AS day, symbol, momentum, technical, value, quality, flow, event,
             total_score AS total, strength, conviction
         FROM strategy.factor_scores JOIN strategy.signal_snapshots h USING (snapshot_id)",
    ),
    (
        "signals",
        "SELECT h.as_of AS day, kind, rank, symbol, strength, conviction, total_score AS total
         FROM strategy.signals JOIN strategy.signal_snapshots h USING (snapshot_id)",
    ),
    (
        "rankings",
        "SELECT h.as_of AS day, rank, symbol, market, sector, total_score AS total, score, strength,
             risk_score AS risk, volatility, liquidity, sector_loss, market_loss, selected, reason
         FROM strategy.rankings JOIN strategy.ranking_snapshots h USING (snapshot_id)",
    ),
    (
        "portfolios",
        "SELECT p.as_of AS day, h.rank, h.symbol, h.sector, h.weight, NULL AS reason
         FROM strategy.portfolios p JOIN strategy.portfolio_holdings h USING (portfolio_id)",
    ),
];

async fn load(system: &System, folder: &Path) {
    for (file, columns, table, rows) in TABLES {
        system.execute("DROP TABLE IF EXISTS file", &[]).await;
        system
            .execute(&format!("CREATE TEMP TABLE file ({columns})"), &[])
            .await;
        let text = tokio::fs::read(folder.join(format!("{file}.csv")))
            .await
            .expect("a file");
        let sink = system
            .db
            .copy_in::<_, Cursor<Vec<u8>>>("COPY file FROM STDIN (FORMAT csv, HEADER match)")
            .await
            .expect("COPY");
        let mut sink = std::pin::pin!(sink);
        sink.send(Cursor::new(text)).await.expect(file);
        sink.close().await.expect(file);
        system
            .execute(&format!("INSERT INTO {table} {rows}"), &[])
            .await;
    }
    // What is held and watched.
    let wanted = tokio::fs::read_to_string(folder.join("wanted.csv"))
        .await
        .expect("a file");
    for line in wanted.lines().skip(1) {
        let (symbol, kind) = line.split_once(',').expect("two columns");
        let statement = if kind == "WATCHLIST" {
            "INSERT INTO strategy.watchlist (symbol) VALUES ($1)"
        } else {
            "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price,
                 entry_ts) VALUES (gen_random_uuid(), '50123456-01', $1, 1, 1, 1000, now())"
        };
        system.execute(statement, &[&symbol]).await;
    }
    system.execute("ANALYZE", &[]).await;
}

async fn store(system: &System, folder: &Path) {
    for (file, query) in STORED {
        let copy = format!("COPY ({query}) TO STDOUT (FORMAT csv, HEADER)");
        let mut rows = std::pin::pin!(system.db.copy_out(&copy).await.expect("COPY"));
        let mut text = Vec::new();
        while let Some(part) = rows.next().await {
            text.extend_from_slice(&part.expect(file));
        }
        tokio::fs::write(folder.join(format!("{file}.csv")), text)
            .await
            .expect("a file");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stored_row_of_twenty_days_is_that_of_the_reference() {
    let Some(real) = data("krx-daily-2026.csv.gz") else {
        return;
    };
    let market = GeneratedMarket::new(SEED, MarketShape::default(), Some(&real));
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        path
    };
    let (tables, stored, expected) = (path("tables"), path("stored"), path("expected"));
    market.write_tables(&tables);
    let late = market.late_sessions();
    let (first, last) = (late[0], late[late.len() - 1]);

    let system = System::start(&[], "").await;
    load(&system, &tables).await;
    let config = system.config_file("");
    let (from, to) = (first.to_string(), last.to_string());
    let arguments = [
        "--config", &config, "strategy", "run", "--from", &from, "--to", &to,
    ];
    let log = system.folder().join("strategy.log");
    let (is_ok, output) = Program::start(&arguments, &system.environment(), &log)
        .output_within(RUN_MAX)
        .await;
    assert!(is_ok, "{output}");
    println!("{output}");
    store(&system, &stored).await;

    // Each of the days gives something to compare.
    for (what, query, least) in [
        (
            "evaluations",
            "SELECT count(*) FROM strategy.factor_scores GROUP BY snapshot_id",
            500,
        ),
        (
            "selected names",
            "SELECT count(*) FROM strategy.rankings WHERE selected GROUP BY snapshot_id",
            20,
        ),
        (
            "names of a portfolio",
            "SELECT count(*) FROM strategy.portfolio_holdings GROUP BY portfolio_id",
            10,
        ),
    ] {
        let days = system.query(query, &[]).await;
        assert_eq!(days.len(), 20, "{what}");
        let counts = days.iter().map(|row| row.get::<_, i64>(0));
        assert!(counts.min() >= Some(least), "{what}");
    }
    println!("{}", reference(&tables, first, last, &expected));
    println!("{}", compare_decisions(&stored, &expected));
    system.stop().await;
}
