//! The schema: forward-only migrations, embedded in the binary.

use super::{AdvisoryLock, Postgres, PostgresConfig, PostgresError};

mod embedded {
    refinery::embed_migrations!("../migrations");
}

/// Held while migrating, so that two processes do not race.
const MIGRATION_LOCK: i64 = 1_000;

/// What a migration run did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationReport {
    /// Migrations applied now, in order, such as `V3__trade`.
    pub applied: Vec<String>,
    /// Version of the schema after the run.
    pub version: u32,
}

/// Brings the schema to the version of this binary.
///
/// # Errors
/// If the server cannot be reached, a migration fails (its transaction is rolled back), or an
/// applied one differs from that of this binary.
pub async fn migrate(config: &PostgresConfig) -> Result<MigrationReport, PostgresError> {
    let postgres = Postgres::connect(config).await?;
    let lock = AdvisoryLock::wait(&postgres, MIGRATION_LOCK).await?;
    let mut client = postgres.connect_alone().await?;
    client.batch_execute("SET statement_timeout = 0").await?;
    let runner = embedded::migrations::runner();
    let version = runner
        .get_migrations()
        .iter()
        .map(refinery::Migration::version)
        .max();
    let report = runner
        .run_async(&mut client)
        .await
        .map_err(|error| PostgresError::Migration(error.to_string()))?;
    lock.release().await;
    Ok(MigrationReport {
        applied: report
            .applied_migrations()
            .iter()
            .map(ToString::to_string)
            .collect(),
        version: version
            .and_then(|version| u32::try_from(version).ok())
            .unwrap_or_default(),
    })
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
        assert!(RELEASED.lines().count() >= 38);
        for line in RELEASED.lines() {
            let (name, checksum) = line.split_once(' ').unwrap();
            let expected = Some(checksum.parse().unwrap());
            assert_eq!(now.get(name).copied(), expected, "{name} was changed");
        }
    }
}
