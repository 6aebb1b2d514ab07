//! What the machine offers: folders from the environment, programs and their versions.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::EmbeddedError;

/// Oldest PostgreSQL that Turnstile is built for.
const OLDEST_POSTGRES: u32 = 15;

/// Where Debian and Ubuntu keep the servers, one folder a version, outside PATH.
const DEBIAN_POSTGRES: &str = "/usr/lib/postgresql";

/// The part of the environment that the private servers depend on, read once.
#[derive(Clone, Debug)]
pub(super) struct Host {
    /// Folders of PATH.
    pub(super) path: Vec<PathBuf>,
    /// Folder for the sockets.
    pub(super) temporary: PathBuf,
    /// Folder for the state of a user, `$XDG_STATE_HOME` or `~/.local/state`.
    pub(super) state: Option<PathBuf>,
    /// Environment that the servers inherit; nothing else passes, so no secret does.
    pub(super) inherited: Vec<(&'static str, OsString)>,
}

/// The programs of one PostgreSQL installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PostgresPrograms {
    /// Major version.
    pub(super) version: u32,
    /// The server.
    pub(super) postgres: PathBuf,
    /// Makes a cluster.
    pub(super) initdb: PathBuf,
}

impl Host {
    /// Reads the environment of this process.
    pub(super) fn from_environment() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let state = std::env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
            .or_else(|| std::env::home_dir().map(|home| home.join(".local/state")));
        Self {
            path: std::env::split_paths(&path)
                .filter(|folder| folder.is_absolute())
                .collect(),
            temporary: std::env::temp_dir(),
            state,
            inherited: ["PATH", "LD_LIBRARY_PATH"]
                .into_iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?)))
                .collect(),
        }
    }

    /// Returns the first of `names` found in PATH.
    pub(super) fn program(
        &self,
        names: &[&'static str],
        install: &'static str,
    ) -> Result<PathBuf, EmbeddedError> {
        names
            .iter()
            .flat_map(|name| self.path.iter().map(move |folder| folder.join(name)))
            .find(|program| program.is_file())
            .ok_or_else(|| EmbeddedError::Missing {
                program: names[0],
                searched: list(&self.path),
                install,
            })
    }

    /// Returns `setsid`, which gives a server a session of its own.
    pub(super) fn setsid(&self) -> Result<PathBuf, EmbeddedError> {
        self.program(
            &["setsid"],
            "apt-get install --no-install-recommends util-linux",
        )
    }

    /// Returns the newest PostgreSQL, or the one of version `needed` by an existing cluster in
    /// `folder`.
    pub(super) fn postgres(
        &self,
        needed: Option<u32>,
        folder: &Path,
    ) -> Result<PostgresPrograms, EmbeddedError> {
        let mut folders = self.path.clone();
        if let Ok(versions) = std::fs::read_dir(DEBIAN_POSTGRES) {
            folders.extend(versions.flatten().map(|version| version.path().join("bin")));
        }
        let mut found: Vec<PostgresPrograms> = folders
            .iter()
            .filter_map(|folder| installation(folder))
            .collect();
        found.retain(|programs| programs.version >= OLDEST_POSTGRES);
        found.sort_by_key(|programs| programs.version);
        let Some(newest) = found.last() else {
            return Err(EmbeddedError::Missing {
                program: "PostgreSQL 15 or newer (postgres and initdb)",
                searched: format!("{}, {DEBIAN_POSTGRES}/*/bin", list(&self.path)),
                install: "apt-get install --no-install-recommends postgresql",
            });
        };
        let Some(needed) = needed else {
            return Ok(newest.clone());
        };
        let fitting = found.iter().find(|programs| programs.version == needed);
        fitting.cloned().ok_or_else(|| EmbeddedError::Version {
            folder: folder.to_path_buf(),
            needed,
            found: found
                .iter()
                .map(|p| p.version.to_string())
                .collect::<Vec<_>>()
                .join(", "),
        })
    }
}

fn list(folders: &[PathBuf]) -> String {
    folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

fn installation(folder: &Path) -> Option<PostgresPrograms> {
    let (postgres, initdb) = (folder.join("postgres"), folder.join("initdb"));
    if !postgres.is_file() || !initdb.is_file() {
        return None;
    }
    let output = std::process::Command::new(&postgres)
        .arg("--version")
        .output()
        .ok()?;
    let version = parse_version(&String::from_utf8_lossy(&output.stdout))?;
    Some(PostgresPrograms {
        version,
        postgres,
        initdb,
    })
}

/// Returns the major version of `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn parse_version(text: &str) -> Option<u32> {
    let number = text.split_once("(PostgreSQL)")?.1.trim_start();
    let end = number
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(number.len());
    number[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_the_major_number() {
        assert_eq!(
            parse_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(parse_version("postgres (PostgreSQL) 19devel\n"), Some(19));
        assert_eq!(parse_version("postgres (PostgreSQL) 17\n"), Some(17));
        assert_eq!(parse_version("bash: postgres: no such file"), None);
    }

    #[test]
    fn missing_program_names_the_folders_and_the_cure() {
        let mut host = Host::from_environment();
        host.path = vec![PathBuf::from("/nowhere/bin")];
        let error = host.program(
            &["redis-server", "valkey-server"],
            "apt-get install redis-server",
        );
        let text = error.unwrap_err().to_string();
        for part in [
            "redis-server not found",
            "/nowhere/bin",
            "apt-get install redis-server",
        ] {
            assert!(text.contains(part), "{part} is missing in: {text}");
        }
    }

    #[test]
    fn cluster_of_another_version_is_refused() {
        let host = Host::from_environment();
        let error = host
            .postgres(Some(99), Path::new("/data/postgres"))
            .unwrap_err();
        assert!(error.to_string().contains("is of PostgreSQL 99"), "{error}");
    }
}
