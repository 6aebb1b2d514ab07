//! Migrations, the insert-only guard, and a server that is not there.

use std::time::Duration;

use secrecy::SecretString;
use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use turnstile_connectors::postgres::{
    Postgres, PostgresClient, PostgresConfig, PostgresError, migrate,
};

use crate::servers::PostgresServer;

#[tokio::test]
async fn two_migrations_at_once_apply_every_version_once() {
    let server = PostgresServer::start_empty().await;
    let config = server.config();
    let (first, second) = tokio::join!(migrate(&config), migrate(&config));
    let (first, second) = (first.unwrap(), second.unwrap());
    let mut applied = [first.applied, second.applied];
    applied.sort_by_key(Vec::len);
    let [none, all] = applied;
    assert!(none.is_empty(), "{none:?}");
    assert!(all.len() >= 4, "{all:?}");
    assert!(all[0].starts_with("V1__"), "{all:?}");
    // Numbers may be left out, and none is applied twice.
    assert!(
        usize::try_from(first.version).unwrap() >= all.len(),
        "{all:?}"
    );
    let last = format!("V{}__", first.version);
    assert!(all[all.len() - 1].starts_with(&last), "{all:?}");

    let again = migrate(&config).await.unwrap();
    assert!(again.applied.is_empty());
    assert_eq!(again.version, first.version);
}

#[tokio::test]
async fn a_schema_newer_than_the_binary_is_refused() {
    let server = PostgresServer::start().await;
    let client = server.client().await;
    client
        .execute(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
             VALUES (9999, 'future', '2026-11-24T00:00:00Z', '1')",
            &[],
        )
        .await
        .unwrap();
    let error = migrate(&server.config()).await.unwrap_err();
    let is_newer =
        matches!(error, PostgresError::SchemaNewer { found: 9999, version } if version >= 57);
    assert!(is_newer, "{error}");
}

#[tokio::test]
async fn insert_only_tables_refuse_every_change_for_every_role() {
    let server = PostgresServer::start().await;
    let client = server.client().await;
    client
        .batch_execute(
            "SELECT market.ensure_prices_partition('2026-11-24');
             SELECT trade.ensure_exit_signals_partition('2026-11-24')",
        )
        .await
        .unwrap();
    let tables = [
        ("market.prices", "symbol"),
        ("market.prices_20261124", "symbol"),
        ("trade.orders", "symbol"),
        ("trade.order_events", "message"),
        ("trade.executions", "qty"),
        ("trade.exit_events", "symbol"),
        ("trade.cash_flows", "note"),
        ("trade.sale_results", "symbol"),
        ("trade.exit_signals", "symbol"),
        ("trade.exit_signals_20261124", "symbol"),
        ("trade.exit_withheld", "symbol"),
        ("trade.reentry_history", "symbol"),
        ("trade.control_history", "mode"),
        ("trade.reentry_expiries", "reason"),
        ("trade.reentry_edits", "reason"),
        ("market.regime_snapshots", "regime"),
        ("market.calendar_history", "source"),
        ("system.logs", "message"),
        ("system.audit_log", "actor"),
        ("system.alarm_deliveries", "channel"),
        ("system.engine_events", "kind"),
        ("system.archives", "file"),
        ("system.archive_restores", "day"),
        ("system.risk_checks", "symbol"),
        ("system.risk_violations", "message"),
        ("system.risk_reports", "level"),
        ("system.risk_edits", "reason"),
        ("trade.pick_runs", "run_id"),
        ("trade.picks", "symbol"),
        ("trade.pick_decisions", "reason"),
        ("trade.pick_holds", "reason"),
    ];
    for role in ["origin", "replica"] {
        client
            .batch_execute(&format!("SET session_replication_role = {role}"))
            .await
            .unwrap();
        for (table, column) in tables {
            for statement in [
                format!("UPDATE {table} SET {column} = {column}"),
                format!("DELETE FROM {table}"),
                format!("TRUNCATE {table} CASCADE"),
            ] {
                let refused = client.batch_execute(&statement).await;
                let code = refused.as_ref().err().and_then(|error| error.code());
                assert_eq!(
                    code,
                    Some(&SqlState::RESTRICT_VIOLATION),
                    "{role}: {statement}: {refused:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn limits_of_a_profile_do_not_overlap_and_every_edit_is_kept() {
    let server = PostgresServer::start().await;
    let client = server.client().await;
    let add = |profile: &str, from: &str| {
        format!(
            "INSERT INTO system.risk_limits (profile, positions_max, single_max_pct, sector_max_pct,
                 market_max_pct, daily_loss_max_pct, total_loss_max_pct, active_from, updated_by)
             VALUES ('{profile}', 1, 1, 1, 1, 1, 1, '{from}', 'kim')"
        )
    };
    let refused = client.batch_execute(&add("DEFAULT", "2030-01-01")).await;
    let code = refused.as_ref().err().and_then(|error| error.code());
    assert_eq!(code, Some(&SqlState::EXCLUSION_VIOLATION), "{refused:?}");
    let end = "UPDATE system.risk_limits SET active_to = '2030-01-01', updated_by = 'kim'
        WHERE profile = 'DEFAULT'";
    client.batch_execute(end).await.unwrap();
    let begin = add("DEFAULT", "2030-01-01");
    client.batch_execute(&begin).await.unwrap();
    client
        .batch_execute("DELETE FROM system.emergency_stop")
        .await
        .unwrap();
    let kept = client
        .query_one(
            "SELECT string_agg(kind || ' ' || op, ', ' ORDER BY id) FROM system.risk_edits
             WHERE edited_by <> 'migration'",
            &[],
        )
        .await
        .unwrap();
    let kept: String = kept.get(0);
    assert_eq!(kept, "LIMITS UPDATE, LIMITS INSERT, STOP DELETE");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_in_one_line_without_the_password() {
    let config = PostgresConfig {
        url: SecretString::from("postgresql://me:hush@%2Ftmp%2Fnowhere/desk"),
        ..PostgresConfig::default()
    };
    let error = Postgres::connect(&config).await.unwrap_err().to_string();
    assert!(error.contains("/tmp/nowhere:5432/desk"), "{error}");
    assert!(error.contains("No such file or directory"), "{error}");
    assert!(!error.contains("hush") && !error.contains('\n'), "{error}");
}

#[tokio::test]
async fn an_unknown_database_is_told_by_name() {
    let server = PostgresServer::start_empty().await;
    let url = format!("host={} user=postgres dbname=desk", server.dir().display());
    let config = PostgresConfig {
        url: SecretString::from(url),
        ..PostgresConfig::default()
    };
    let error = Postgres::connect(&config).await.unwrap_err().to_string();
    assert!(
        error.contains("database \"desk\" does not exist"),
        "{error}"
    );
}

#[tokio::test]
async fn the_pool_keeps_options_of_the_address_and_its_least_number() {
    let server = PostgresServer::start_empty().await;
    let url = format!(
        "host={} user=postgres dbname=postgres options='-c work_mem=7MB'",
        server.dir().display()
    );
    let config = PostgresConfig {
        url: SecretString::from(url),
        pool_min: 2,
        idle: std::time::Duration::ZERO,
        ..PostgresConfig::default()
    };
    let postgres = Postgres::connect(&config).await.unwrap();
    let client = postgres.client().await.unwrap();
    for (setting, value) in [("work_mem", "7MB"), ("statement_timeout", "30s")] {
        let row = client
            .query_one("SELECT current_setting($1)", &[&setting])
            .await
            .unwrap();
        assert_eq!(row.get::<_, &str>(0), value);
    }
    drop(client);
    let held = futures_util::future::join_all((0..4).map(|_| postgres.client())).await;
    assert_eq!(postgres.in_use(), 4);
    drop(held);
    postgres.retire_connections();
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'turnstile'";
    let outside = server.client().await;
    crate::servers::eventually("two connections left", async || {
        outside
            .query_one(count, &[])
            .await
            .unwrap()
            .get::<_, i64>(0)
            == 2
    })
    .await;
}

#[tokio::test]
async fn a_connection_whose_statement_nobody_waits_for_is_not_lent_again() {
    let server = PostgresServer::start_empty().await;
    let config = PostgresConfig {
        pool_max: 1,
        pool_min: 0,
        ..server.config()
    };
    let postgres = Postgres::connect(&config).await.unwrap();
    let own = async |client: &PostgresClient| -> i32 {
        let row = client.query_one("SELECT pg_backend_pid()", &[]).await;
        row.unwrap().get(0)
    };
    let mut client = postgres.client().await.unwrap();
    let first = own(&client).await;
    drop(client);
    client = postgres.client().await.unwrap();
    assert_eq!(own(&client).await, first, "lent again");
    let soon = Duration::from_millis(50);
    let asleep = client.batch_execute("SELECT pg_sleep(20)");
    assert!(timeout(soon, asleep).await.is_err());
    drop(client);

    // Well before the statement ends. So it is with one of a transaction.
    let next = async || {
        timeout(Duration::from_secs(10), postgres.client())
            .await
            .unwrap()
            .unwrap()
    };
    let mut client = next().await;
    let second = own(&client).await;
    assert_ne!(second, first);
    let transaction = client.transaction().await.unwrap();
    let asleep = transaction.batch_execute("SELECT pg_sleep(20)");
    assert!(timeout(soon, asleep).await.is_err());
    drop(transaction);
    drop(client);
    assert_ne!(own(&next().await).await, second);
}
