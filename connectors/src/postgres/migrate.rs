//! The schema: forward-only migrations, embedded in the binary.
//!
//! Whoever may not change the schema goes on where it is that of the binary.

use std::error::Error as _;

use refinery::Runner;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::{AdvisoryLock, Postgres, PostgresConfig, PostgresError};

mod embedded {
    refinery::embed_migrations!("../migrations");
}

/// Held while migrating, so that two processes do not race.
const MIGRATION_LOCK: i64 = 1_000;

/// What was applied, with its checksum.
const APPLIED: &str = "SELECT version::bigint, checksum FROM refinery_schema_history ORDER BY refinery_schema_history.version";

/// What a migration run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationReport {
    /// Migrations applied now, in order, such as `V3__trade`.
    pub applied: Vec<String>,
    /// Version of the schema after the run.
    pub version: u32,
}

/// Brings the schema to the version of this binary. Where it is there already, nothing is written, and no
/// right to do so is needed.
///
/// # Errors
/// If the server cannot be reached, a migration fails (its transaction is rolled back), or an
/// applied one differs from that of this binary; [`PostgresError::SchemaNewer`] if the schema is beyond this
/// binary, whoever asks; [`PostgresError::NotMigrated`] if the role may not migrate.
pub async fn migrate(config: &PostgresConfig) -> Result<MigrationReport, PostgresError> {
    let postgres = Postgres::connect(config).await?;
    let mut client = postgres.connect_alone().await?;
    let runner = embedded::migrations::runner();
    let migrations = runner.get_migrations().iter();
    let version = migrations.map(refinery::Migration::version).max();
    let version = version.and_then(|version| u32::try_from(version).ok());
    let version = version.unwrap_or_default();
    let applied = applied(&client).await?;
    let found = applied.iter().map(|(version, _)| *version).max();
    let found = found.and_then(|found| u32::try_from(found).ok());
    if let Some(found) = found.filter(|found| *found > version) {
        return Err(PostgresError::SchemaNewer { found, version });
    }
    if is_current(applied, &runner) {
        return Ok(MigrationReport {
            applied: Vec::new(),
            version,
        });
    }
    let lock = AdvisoryLock::wait(&postgres, MIGRATION_LOCK).await?;
    client.batch_execute("SET statement_timeout = 0").await?;
    let report = runner.run_async(&mut client).await.map_err(|error| {
        if is_forbidden(&error) {
            PostgresError::NotMigrated { version }
        } else {
            PostgresError::Migration(error.to_string())
        }
    })?;
    lock.release().await;
    Ok(MigrationReport {
        applied: report
            .applied_migrations()
            .iter()
            .map(ToString::to_string)
            .collect(),
        version,
    })
}

/// Returns versions and checksums of what was applied, in order; nothing where there is no schema, or where
/// this role may not see it.
async fn applied(client: &Client) -> Result<Vec<(i64, String)>, PostgresError> {
    let rows = match client.query(APPLIED, &[]).await {
        Ok(rows) => rows,
        Err(error)
            if matches!(
                error.code(),
                Some(&SqlState::UNDEFINED_TABLE | &SqlState::INSUFFICIENT_PRIVILEGE)
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error.into()),
    };
    let rows = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    rows.collect()
}

/// Returns whether exactly the migrations of this binary were applied.
fn is_current(applied: Vec<(i64, String)>, runner: &Runner) -> bool {
    let mut migrations: Vec<_> = runner.get_migrations().iter().collect();
    migrations.sort_by_key(|migration| migration.version());
    let wanted = migrations.into_iter().map(|migration| {
        let version = i64::from(migration.version());
        (version, migration.checksum().to_string())
    });
    wanted.eq(applied)
}

/// Returns whether the server refuses a migration for want of a right.
fn is_forbidden(error: &refinery::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        let refused = error.downcast_ref::<tokio_postgres::Error>();
        if refused.and_then(tokio_postgres::Error::code) == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
        {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::embedded;

    /// Name and checksum of each migration that others may have applied.
    const RELEASED: &str = include_str!("released_migrations.txt");

    /// A database that has one of them refuses a binary in which it is another. What it lacks is a
    /// migration of its own; once that is released, it is listed here.
    #[test]
    fn a_released_migration_is_never_changed() {
        let runner = embedded::migrations::runner();
        let migrations = runner.get_migrations().iter();
        let now: BTreeMap<String, u64> = migrations
            .map(|migration| (migration.to_string(), migration.checksum()))
            .collect();
        assert!(RELEASED.lines().count() >= 41);
        for line in RELEASED.lines() {
            let (name, checksum) = line.split_once(' ').unwrap();
            let expected = Some(checksum.parse().unwrap());
            assert_eq!(now.get(name).copied(), expected, "{name} was changed");
        }
    }
}
