//! Processes that own nothing of the database: what they need is granted, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use turnstile_tests::{Api, Program, Stock, System, connect, eventually};

const SYMBOL: &str = "005930";
const OTHER: &str = "000660";
const OLD_DAY: &str = "2025-01-06";

/// The address of a database for another role.
fn as_role(system: &System, role: &str) -> String {
    let url = system.database_url();
    url.replacen("//turnstile@", &format!("//{role}@"), 1)
}

/// Makes the groups and a role in each, as the operator does where the owner may not create roles, and
/// lets the processes sign in as those.
async fn separate(system: &mut System) {
    let superuser = connect(&as_role(system, "postgres")).await;
    for group in ["stream", "bff", "reader"] {
        let create = format!(
            "CREATE ROLE turnstile_{group} NOLOGIN;
             CREATE ROLE {group} LOGIN IN ROLE turnstile_{group}"
        );
        superuser.batch_execute(&create).await.unwrap();
    }
    let stranger = "CREATE ROLE stranger LOGIN";
    superuser.batch_execute(stranger).await.unwrap();
    system.query("SELECT system.grant_to_groups()", &[]).await;
    system.stream_url = Some(as_role(system, "stream"));
    system.bff_url = Some(as_role(system, "bff"));
}

async fn refusal(client: &Client, statement: &str) -> Option<SqlState> {
    let refused = client.batch_execute(statement).await.err()?;
    Some(
        refused
            .code()
            .cloned()
            .unwrap_or_else(|| panic!("{refused}")),
    )
}

/// Whether a line says that the database refused for want of a right.
fn is_refused(text: &str) -> bool {
    text.contains("permission denied") || text.contains("must be owner") || text.contains("42501")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_of_trading_needs_no_more_than_is_granted() {
    let stocks = [(SYMBOL, 100), (OTHER, 50)].map(|(symbol, held)| Stock {
        symbol,
        close: 100_000,
        held,
    });
    let clock = "[clock]\ncalendar_on_paper = true\nstart = \"2026-12-01T10:00:00\"\n";
    let mut system = System::start(&stocks, clock).await;
    "stocks_spacing = \"1ms\"\nretry_min = \"200ms\"\n".clone_into(&mut system.jobs);
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    system.reentry_rule("SL", 2, "0.01", 1).await;
    let regime = "UPDATE market.regime_override SET regime = 'NEUTRAL', updated_by = 'test'";
    system.execute(regime, &[]).await;
    let ensure = "SELECT market.ensure_prices_partition($1::text::date)";
    system.execute(ensure, &[&OLD_DAY]).await;
    separate(&mut system).await;
    let archive = system.folder().join("archive");
    let settings = format!(
        "minute_bars = \"1s\"\n[retention]\ndays = 7\nlook = \"50ms\"\nfolder = \"{}\"\n[monitoring]\nhistory_every = \"1s\"\n",
        archive.display()
    );
    let stream = system.stream(&settings).await;
    let (program, url) = system.bff().await;
    let api = Api::new(program, url);

    // Out, and in again; the old day leaves for the archive meanwhile.
    system.trade(SYMBOL, 94_900).await;
    system.trade(OTHER, 100_000).await;
    let count = "SELECT count(*) FROM trade.reentry_candidates WHERE state = 'WATCH'";
    system.counts(count, 1).await;
    system.trade(SYMBOL, 95_000).await;
    system.trade(SYMBOL, 96_500).await;
    let entered = "SELECT count(*) FROM trade.reentry_history WHERE status = 'ENTERED'";
    system.counts(entered, 1).await;
    system
        .counts("SELECT count(*) FROM system.archives", 1)
        .await;
    let jobs = "SELECT count(DISTINCT job) FROM system.job_runs WHERE status = 'DONE'";
    system.counts(jobs, 2).await;

    // A rule by the API sells the other; each edit is followed and audited.
    let change = json!({"scope": "DEFAULT", "rules": {"sl2": {"pnl": -0.02}}, "version": 1,
        "updated_by": "test"});
    let (status, body) = api.put("/exit-rules/default", &change).await;
    assert_eq!(status, 200, "{body}");
    eventually("it is sold", async || {
        system.trade(OTHER, 97_000).await;
        let sold = "SELECT count(*) FROM trade.orders_now
            WHERE symbol = $1 AND side = 'SELL' AND status = 'FILLED'";
        system.one::<i64>(sold, &[&OTHER]).await == 1
    })
    .await;
    let by_bff = "SELECT count(*) FROM system.audit_log
        WHERE table_name = 'trade.exit_rules' AND op = 'UPDATE'";
    assert_eq!(system.one::<i64>(by_bff, &[]).await, 1);
    let by_stream = "SELECT count(*) FROM system.audit_log
        WHERE table_name = 'trade.positions' AND actor = 'stream'";
    assert!(system.one::<i64>(by_stream, &[]).await > 0);

    let refused = "SELECT count(*) FROM system.logs
        WHERE message || context::text ~ 'permission denied|must be owner|42501'";
    assert_eq!(system.one::<i64>(refused, &[]).await, 0);
    let log = |name: &str| std::fs::read_to_string(system.folder().join(name)).unwrap();
    for name in ["stream.log", "bff.log"] {
        let text = log(name);
        let line = text.lines().find(|line| is_refused(line));
        assert_eq!(line, None, "{name}");
    }
    api.stop().await;
    stream.stop().await;
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_is_refused() {
    let mut system = System::start_without_positions(&[], "").await;
    separate(&mut system).await;
    let all = [
        "ALTER TABLE trade.orders DISABLE TRIGGER ALL",
        "ALTER TABLE trade.orders ADD COLUMN more text",
        "DROP TABLE system.logs",
        "TRUNCATE trade.positions",
        "CREATE TABLE market.own (n integer)",
        "CREATE FUNCTION system.own() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE TEMPORARY TABLE own (n integer);
         CREATE TRIGGER forge AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION system.log_change()",
        "INSERT INTO system.change_log (table_name, op, content) VALUES ('a', 'INSERT', '{}')",
        "INSERT INTO system.audit_log (actor, table_name, op) VALUES ('a', 'b', 'INSERT')",
        "DELETE FROM system.audit_log",
        "DELETE FROM trade.executions",
        "UPDATE system.logs SET message = ''",
        "SELECT system.grant_to_groups()",
    ];
    let of_bff = [
        "INSERT INTO trade.orders DEFAULT VALUES",
        "INSERT INTO trade.order_events DEFAULT VALUES",
        "INSERT INTO trade.executions DEFAULT VALUES",
        "INSERT INTO trade.positions DEFAULT VALUES",
        "UPDATE trade.positions SET qty = 1",
        "DELETE FROM trade.positions",
        "INSERT INTO market.prices DEFAULT VALUES",
        "UPDATE trade.position_state SET hwm_price = 1",
        "INSERT INTO system.engine_events DEFAULT VALUES",
        "UPDATE system.sink_progress SET durable_us = 0",
        "INSERT INTO trade.control_history (scope, mode, updated_by) VALUES ('exit', 'RUNNING', 'a')",
        "SELECT market.detach_prices('2025-01-06', 'a')",
    ];
    let of_stream = [
        "SELECT secret_sha256 FROM system.api_tokens",
        "UPDATE system.api_tokens SET role = 'ADMIN'",
        "INSERT INTO system.api_sessions DEFAULT VALUES",
        "DELETE FROM system.api_tokens",
        "UPDATE system.emergency_stop SET is_enabled = false",
        "UPDATE trade.exit_control SET mode = 'RUNNING'",
        "UPDATE system.config SET value = '1'",
    ];
    let of_reader = [
        "SELECT secret_sha256 FROM system.api_tokens",
        "SELECT * FROM system.api_sessions",
        "INSERT INTO system.logs (level, module, event, message) VALUES ('INFO', 'a', 'b', 'c')",
        "UPDATE trade.exit_rules SET name = 'a'",
        "SELECT market.ensure_prices_partition('2025-01-06')",
    ];
    for (role, own) in [
        ("bff", &of_bff[..]),
        ("stream", &of_stream),
        ("reader", &of_reader),
    ] {
        let client = connect(&as_role(&system, role)).await;
        for statement in all.iter().chain(own) {
            let code = refusal(&client, statement).await;
            assert_eq!(
                code,
                Some(SqlState::INSUFFICIENT_PRIVILEGE),
                "{role}: {statement}"
            );
        }
        for statement in [
            "SELECT count(*) FROM trade.orders_now",
            "SELECT count(*) FROM system.audit_log",
            "SELECT count(*) FROM market.prices",
        ] {
            assert_eq!(
                refusal(&client, statement).await,
                None,
                "{role}: {statement}"
            );
        }
    }
    let stranger = connect(&as_role(&system, "stranger")).await;
    let code = refusal(&stranger, "SELECT count(*) FROM trade.orders").await;
    assert_eq!(code, Some(SqlState::INSUFFICIENT_PRIVILEGE));
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_migrate_goes_on_where_the_schema_is_current_and_says_so_where_not() {
    let mut system = System::start_without_positions(&[], "").await;
    separate(&mut system).await;
    let url = system.bff_url.clone().unwrap();
    let log = system.folder().join("migrate.log");
    let migrate = async || {
        let program = Program::start(&["migrate"], &[("DATABASE_URL", &url)], &log);
        program.output().await
    };
    let (is_done, said) = migrate().await;
    assert!(is_done && said.contains("nothing to do"), "{said}");

    // A program from before a later migration.
    let later = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
        VALUES (9999, 'later', '2026-11-24T00:00:00Z', '1')";
    system.execute(later, &[]).await;
    let (is_done, said) = migrate().await;
    let is_told =
        said.contains("the schema is at version 9999") && !said.contains("run `turnstile");
    assert!(!is_done && is_told, "{said}");
    let forget = "DELETE FROM refinery_schema_history WHERE version = 9999";
    system.execute(forget, &[]).await;

    // As before the last migration was applied.
    let forget = "DELETE FROM refinery_schema_history
        WHERE version = (SELECT max(version) FROM refinery_schema_history)";
    system.execute(forget, &[]).await;
    let (is_done, said) = migrate().await;
    assert!(
        !is_done && said.contains("run `turnstile migrate` as the owner"),
        "{said}"
    );
    let config = system.config_file("");
    let bff = ["--config", &config, "bff"];
    let bff = Program::start(&bff, &[("DATABASE_URL", &url)], &log);
    let (is_done, said) = bff.output().await;
    assert!(
        !is_done && said.contains("run `turnstile migrate` as the owner"),
        "{said}"
    );
    system.stop().await;
}
