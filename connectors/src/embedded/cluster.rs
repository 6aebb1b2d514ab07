//! The folder of a PostgreSQL cluster: made as a whole or not at all.
//!
//! `initdb` works in `postgres.new`, which is renamed when it is complete. So what an interrupted
//! start leaves is recognised by its name and made again, and `postgres` is never half-made by
//! Turnstile. One that is nevertheless incomplete is set aside, never deleted.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::timeout;
use tracing::{info, warn};

use super::EmbeddedError;
use super::home::Home;
use super::host::{Host, PostgresPrograms};

/// Name of the superuser, used only to prepare the database.
pub(super) const SUPERUSER: &str = "postgres";

/// `initdb` takes below a second; a very slow disk may need this.
const INITDB_PATIENCE: Duration = Duration::from_secs(180);

/// How many server logs are kept; each is at most 10 MB by `log_rotation_size`.
const LOGS_MAX: usize = 10;

/// Returns the folder of the cluster.
pub(super) fn folder(home: &Home) -> PathBuf {
    home.folder.join("postgres")
}

/// Returns the major version that wrote the cluster, if there is one.
pub(super) fn version(home: &Home) -> Option<u32> {
    let text = fs::read_to_string(folder(home).join("PG_VERSION")).ok()?;
    text.trim().parse().ok()
}

/// Makes the cluster unless it is there.
pub(super) async fn ensure(
    home: &Home,
    programs: &PostgresPrograms,
    host: &Host,
) -> Result<(), EmbeddedError> {
    let cluster = folder(home);
    if cluster.join("PG_VERSION").is_file() && cluster.join("global/pg_control").is_file() {
        prune_logs(&cluster);
        return Ok(());
    }
    if cluster.symlink_metadata().is_ok() {
        let aside = (1..)
            .map(|number: u32| home.folder.join(format!("postgres.incomplete-{number}")))
            .find(|path| path.symlink_metadata().is_err())
            .expect("the numbers do not end before the files do");
        warn!(folder = %cluster.display(), aside = %aside.display(), "incomplete cluster set aside");
        fs::rename(&cluster, &aside).map_err(EmbeddedError::file("set aside", &cluster))?;
    }
    create(home, programs, host, &cluster).await
}

async fn create(
    home: &Home,
    programs: &PostgresPrograms,
    host: &Host,
    cluster: &Path,
) -> Result<(), EmbeddedError> {
    let draft = home.folder.join("postgres.new");
    if draft.symlink_metadata().is_ok() {
        info!(folder = %draft.display(), "an interrupted start left a half-made cluster, made again");
        fs::remove_dir_all(&draft).map_err(EmbeddedError::file("remove", &draft))?;
    }
    info!(folder = %cluster.display(), version = programs.version, "creating the database cluster");
    DirBuilder::new()
        .mode(0o700)
        .create(&draft)
        .and_then(|()| home.account.take(&draft))
        .map_err(EmbeddedError::file("create", &draft))?;
    let mut initdb = home.account.command(&programs.initdb, host);
    initdb
        .arg("--pgdata")
        .arg(&draft)
        .args(["--username", SUPERUSER, "--encoding=UTF8"]);
    // Local connections are trusted because the folder of the socket is private to the account;
    // there is no other way in.
    initdb.args([
        "--locale=C",
        "--data-checksums",
        "--auth-local=trust",
        "--auth-host=reject",
    ]);
    initdb.kill_on_drop(true);
    let failed = |reason: String| EmbeddedError::Program {
        program: "initdb".to_owned(),
        reason,
    };
    let output = timeout(INITDB_PATIENCE, initdb.output())
        .await
        .map_err(|_elapsed| failed(format!("no end within {INITDB_PATIENCE:?}")))?
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(failed(format!("{}: {words}", output.status)));
    }
    fs::rename(&draft, cluster)
        .and_then(|()| fs::File::open(&home.folder)?.sync_all())
        .map_err(EmbeddedError::file("rename", &draft))
}

/// Returns the logs of the server in `cluster`, the newest last: their names sort by time.
pub(super) fn logs(cluster: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(cluster.join("log")) else {
        return Vec::new();
    };
    let mut logs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.sort();
    logs
}

/// Removes the oldest logs of the server in `cluster`.
fn prune_logs(cluster: &Path) {
    for log in logs(cluster).iter().rev().skip(LOGS_MAX) {
        if let Err(error) = fs::remove_file(log) {
            warn!(log = %log.display(), %error, "old server log cannot be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_logs_are_removed() {
        let cluster = tempfile::tempdir().unwrap();
        fs::create_dir(cluster.path().join("log")).unwrap();
        for day in 1..=13 {
            let name = format!("log/postgresql-202601{day:02}.log");
            fs::write(cluster.path().join(name), "").unwrap();
        }
        prune_logs(cluster.path());
        let left = logs(cluster.path());
        assert_eq!(left.len(), LOGS_MAX);
        assert!(left[0].ends_with("log/postgresql-20260104.log"));
    }
}
