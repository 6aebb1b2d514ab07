//! The folder of the data, its lock, and the folder of the sockets.
//!
//! The data lies in the folder asked for. Where the account of the servers cannot use that, it
//! lies in `/var/lib/turnstile/<hash>` for root and `$XDG_STATE_HOME/turnstile/<hash>` for others;
//! the hash is of the folder's path, so the same folder always finds the same data. A database
//! that exists is never left for an empty one elsewhere: if it cannot be reached that is an error.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::unistd::geteuid;
use tracing::{info, warn};
use uuid::Uuid;

use super::EmbeddedError;
use super::account::Account;
use super::host::Host;

/// Longest path of a socket on Linux: `sun_path` has 108 bytes with the closing zero.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Longest name of a socket in the folder: `.s.PGSQL.5432.lock` bounds all.
const SOCKET_NAME_BYTES_MAX: usize = 20;

/// How many names are tried for the sockets when somebody else holds the first ones.
const SOCKET_FOLDERS_MAX: u32 = 8;

/// A claimed folder: nobody else works on it while this lives.
#[derive(Debug)]
pub(super) struct Home {
    /// Absolute path of the data.
    pub(super) folder: PathBuf,
    /// Who runs the servers.
    pub(super) account: Account,
    /// Folder of the unix sockets, private to the account.
    pub(super) sockets: PathBuf,
    /// Short name of the folder, the same at each start.
    pub(super) hash: String,
    _lock: File,
}

impl Home {
    /// Claims `wanted`, or the folder that stands in for it.
    pub(super) async fn claim(wanted: &Path, host: &Host) -> Result<Self, EmbeddedError> {
        let wanted = absolute(wanted)?;
        let substitute = substitute(&wanted, host);
        let mut candidates = vec![wanted.clone()];
        candidates.extend(substitute.clone());
        if substitute.is_some_and(|folder| holds_cluster(&folder)) && !holds_cluster(&wanted) {
            candidates.remove(0);
        }
        let mut tried = Vec::new();
        let mut account_name = String::new();
        for folder in candidates {
            let account = Account::choose(&folder.join("postgres"))?;
            account_name.clone_from(&account.name);
            let reason = match claim_as(&folder, &account, host).await? {
                Ok(lock) => {
                    if folder != wanted {
                        info!(
                            folder = %folder.display(), instead_of = %wanted.display(),
                            account = account.name, reason = tried.join(", "),
                            "data lies outside the folder asked for"
                        );
                    }
                    let hash = hash(&folder);
                    let sockets = socket_folder(&hash, &account, host).await?;
                    return Ok(Self {
                        folder,
                        account,
                        sockets,
                        hash,
                        _lock: lock,
                    });
                }
                Err(reason) => reason,
            };
            if holds_cluster(&folder) {
                return Err(EmbeddedError::Unreachable {
                    folder,
                    account: account.name,
                    reason,
                });
            }
            tried.push(format!("{} ({reason})", folder.display()));
        }
        Err(EmbeddedError::NoFolder {
            account: account_name,
            tried: tried.join(", "),
        })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Only an empty folder goes: servers that still end keep theirs for the next start.
        let _in_use = fs::remove_dir(&self.sockets);
    }
}

/// Returns `path` without links as far as it exists, for the same folder must give the same hash.
fn absolute(path: &Path) -> Result<PathBuf, EmbeddedError> {
    let path = std::path::absolute(path).map_err(EmbeddedError::file("find", path))?;
    let mut existing = path.as_path();
    loop {
        if let Ok(real) = existing.canonicalize() {
            let rest = path.strip_prefix(existing).unwrap_or(Path::new(""));
            return Ok(if rest.as_os_str().is_empty() {
                real
            } else {
                real.join(rest)
            });
        }
        match existing.parent() {
            Some(parent) => existing = parent,
            None => return Ok(path),
        }
    }
}

fn hash(folder: &Path) -> String {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, folder.as_os_str().as_bytes());
    id.simple().to_string()[..12].to_owned()
}

fn substitute(wanted: &Path, host: &Host) -> Option<PathBuf> {
    let base = if geteuid().is_root() {
        Some(PathBuf::from("/var/lib/turnstile"))
    } else {
        host.state.as_ref().map(|state| state.join("turnstile"))
    };
    base.map(|base| base.join(hash(wanted)))
}

fn holds_cluster(folder: &Path) -> bool {
    folder
        .join("postgres/PG_VERSION")
        .symlink_metadata()
        .is_ok()
}

/// Makes and locks `folder`; the inner error says why the account cannot use it.
async fn claim_as(
    folder: &Path,
    account: &Account,
    host: &Host,
) -> Result<Result<File, String>, EmbeddedError> {
    if let Err(error) = make_passable(folder) {
        return Ok(Err(error.to_string()));
    }
    let lock = match lock(folder)? {
        Ok(lock) => lock,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let probe = folder.join("probe");
    let _absent = fs::remove_dir(&probe);
    let usable = async {
        DirBuilder::new().mode(0o700).create(&probe)?;
        account.take(&probe)?;
        account.enters(&probe, host).await
    };
    let usable = usable.await;
    let _unused = fs::remove_dir(&probe);
    Ok(usable.map(|()| lock).map_err(|error| error.to_string()))
}

/// Makes `folder` and what is missing above it, passable whatever the umask says: the account has
/// to reach what lies inside. What exists keeps its mode.
fn make_passable(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_passable(parent)?;
    }
    match fs::create_dir(folder) {
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(0o755)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Locks `folder` for the life of this process; the lock ends with the process, however it ends.
fn lock(folder: &Path) -> Result<std::io::Result<File>, EmbeddedError> {
    let path = folder.join("lock");
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o644)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(&path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            file.read_to_string(&mut owner)
                .map_err(EmbeddedError::file("read", &path))?;
            let owner = owner.trim().to_owned();
            return Err(EmbeddedError::InUse {
                folder: folder.to_path_buf(),
                owner,
            });
        }
        Err(TryLockError::Error(error)) => return Ok(Err(error)),
    }
    let written = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(EmbeddedError::file("write", &path))?;
    Ok(Ok(file))
}

/// Returns a folder for the sockets: short, private, and the same at each start.
async fn socket_folder(
    hash: &str,
    account: &Account,
    host: &Host,
) -> Result<PathBuf, EmbeddedError> {
    let mut tried = Vec::new();
    let mut bases = vec![host.temporary.clone()];
    if host.temporary != Path::new("/tmp") {
        bases.push(PathBuf::from("/tmp"));
    }
    for base in bases {
        for attempt in 0..SOCKET_FOLDERS_MAX {
            let name = match attempt {
                0 => format!("turnstile-{hash}"),
                n => format!("turnstile-{hash}-{n}"),
            };
            let folder = base.join(name);
            if folder.as_os_str().len() + 1 + SOCKET_NAME_BYTES_MAX > SOCKET_PATH_BYTES_MAX {
                tried.push(format!("{} (too long for sockets)", base.display()));
                break;
            }
            match private_folder(&folder, account, host).await {
                Ok(()) => return Ok(folder),
                Err(error) => tried.push(format!("{} ({error})", folder.display())),
            }
        }
    }
    Err(EmbeddedError::NoFolder {
        account: account.name.clone(),
        tried: tried.join(", "),
    })
}

async fn private_folder(folder: &Path, account: &Account, host: &Host) -> std::io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => account.take(folder)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            // Names in the temporary folder are anybody's: only one's own private folder will do.
            if !account.is_private(folder) {
                warn!(folder = %folder.display(), "folder for sockets belongs to somebody else");
                return Err(error);
            }
        }
        Err(error) => return Err(error),
    }
    account.enters(folder, host).await
}

/// Writes `text` to `path` unless it stands there already, and returns whether it did.
///
/// The file is replaced as a whole and a link in its place is not followed.
pub(super) fn write_if_changed(path: &Path, text: &str) -> Result<bool, EmbeddedError> {
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(false);
    }
    let draft = path.with_extension("new");
    let _absent = fs::remove_file(&draft);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o644);
    options
        .open(&draft)
        .and_then(|mut file| {
            file.set_permissions(Permissions::from_mode(0o644))?;
            file.write_all(text.as_bytes())
        })
        .and_then(|()| fs::rename(&draft, path))
        .map_err(EmbeddedError::file("write", path))?;
    Ok(true)
}
