//! Files that are written, and those that others have left.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use metrics::{counter, gauge};
use turnstile_dataflows::model::Symbol;

use super::metrics::{self as names, BYTES, KEPT, REFUSED};
use super::{Kept, SpillConfig, SpillError};
use crate::execution::wall_clock_us;

/// End of the names of files.
const END: &str = "spill";
/// End of the names of files of which a part could not be read.
const DAMAGED: &str = "damaged";
/// File with the symbols that were streamed last.
const SYMBOLS: &str = "symbols.json";
/// Its owner alone reads what is kept: notices tell of an account.
const MODE: u32 = 0o600;

/// The folder, and the file of this process.
#[derive(Debug)]
pub struct Spill {
    folder: PathBuf,
    bytes_max: u64,
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    /// None until something is kept, and again once it has been taken to be restored.
    file: Option<Own>,
    /// Bytes of all files of this process.
    bytes: u64,
    /// Files begun.
    count: u32,
    /// Those that are there.
    own: BTreeSet<PathBuf>,
}

/// A file that this process writes.
#[derive(Debug)]
struct Own {
    path: PathBuf,
    /// Locked as long as it is open.
    file: File,
    bytes: u64,
}

/// A file that nobody writes, locked against others who would restore it.
#[derive(Debug)]
pub(super) struct Leftover {
    pub(super) path: PathBuf,
    pub(super) file: File,
}

impl Spill {
    /// Returns what keeps things in the folder of `config`.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn open(config: &SpillConfig) -> Result<Self, SpillError> {
        let folder = config.folder.clone();
        std::fs::create_dir_all(&folder)
            .map_err(|source| SpillError::file(&folder, "made", source))?;
        names::begin();
        Ok(Self {
            folder,
            bytes_max: config.bytes_max,
            written: Mutex::default(),
        })
    }

    /// Keeps all of this, or nothing.
    ///
    /// # Errors
    /// If there is no room, or the disk takes no more.
    pub fn keep(&self, kept: &[Kept]) -> Result<(), SpillError> {
        let mut text = Vec::with_capacity(kept.len().saturating_mul(320));
        for kept in kept {
            kept.write(&mut text);
        }
        let done = self.append(&text);
        let count = u64::try_from(kept.len()).unwrap_or_default();
        match done {
            Ok(()) => counter!(KEPT).increment(count),
            Err(_) => counter!(REFUSED).increment(1),
        }
        done
    }

    fn append(&self, text: &[u8]) -> Result<(), SpillError> {
        let mut written = self.lock();
        let len = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let bytes = written.bytes.saturating_add(len);
        if bytes > self.bytes_max {
            return Err(SpillError::Full {
                folder: self.folder.clone(),
                bytes: written.bytes,
                bytes_max: self.bytes_max,
            });
        }
        let own = match written.file.take() {
            Some(own) => own,
            None => {
                written.count += 1;
                let own = self.create(written.count)?;
                written.own.insert(own.path.clone());
                own
            }
        };
        let own = written.file.insert(own);
        if let Err(source) = own.file.write_all(text) {
            // A part of it may be there. Where that cannot be cut off, its checksums tell.
            drop(own.file.set_len(own.bytes));
            return Err(SpillError::file(&own.path, "written", source));
        }
        own.bytes = own.bytes.saturating_add(len);
        written.bytes = bytes;
        show(bytes);
        Ok(())
    }

    fn create(&self, count: u32) -> Result<Own, SpillError> {
        let begun_us = wall_clock_us();
        let name = format!("{begun_us:020}-{}-{count}.{END}", std::process::id());
        let path = self.folder.join(name);
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(MODE)
            .open(&path)
            .map_err(|source| SpillError::file(&path, "made", source))?;
        file.lock()
            .map_err(|source| SpillError::file(&path, "locked", source))?;
        Ok(Own {
            path,
            file,
            bytes: 0,
        })
    }

    /// Makes what was kept so far safe against the loss of the machine.
    ///
    /// # Errors
    /// If the disk does not take it.
    pub fn sync(&self) -> Result<(), SpillError> {
        let (path, file) = {
            let written = self.lock();
            let Some(own) = &written.file else {
                return Ok(());
            };
            let copy = own.file.try_clone();
            let copy = copy.map_err(|source| SpillError::file(&own.path, "copied", source))?;
            (own.path.clone(), copy)
        };
        file.sync_data()
            .map_err(|source| SpillError::file(&path, "synced", source))
    }

    /// Returns what this process has kept, bytes.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// Returns the files that are left, the oldest first, with what this process has written so far: what it
    /// keeps from now on goes to another file.
    pub(super) fn left(&self) -> Result<Vec<PathBuf>, SpillError> {
        // Closed, it is one of those that nobody holds.
        self.lock().file = None;
        let unreadable = |source| SpillError::file(&self.folder, "read", source);
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|end| end == END) {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// Takes one of them, unless another process writes it or has taken it.
    pub(super) fn claim(&self, path: &Path) -> Result<Option<Leftover>, SpillError> {
        let file = match File::open(path) {
            Ok(file) => file,
            // Somebody else has restored it by now.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SpillError::file(path, "opened", source)),
        };
        match file.try_lock() {
            Ok(()) if path.exists() => Ok(Some(Leftover {
                path: path.to_owned(),
                file,
            })),
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(SpillError::file(path, "locked", source)),
        }
    }

    /// Removes a file whose content is in the database; one that was damaged gets another name.
    pub(super) fn done(&self, leftover: Leftover, is_damaged: bool) -> Result<(), SpillError> {
        let Leftover { path, file } = leftover;
        let len = file.metadata().map_or(0, |found| found.len());
        if is_damaged {
            let name = path.with_extension(DAMAGED);
            std::fs::rename(&path, name)
                .map_err(|source| SpillError::file(&path, "renamed", source))?;
        } else {
            std::fs::remove_file(&path)
                .map_err(|source| SpillError::file(&path, "removed", source))?;
        }
        let mut written = self.lock();
        if written.own.remove(&path) {
            written.bytes = written.bytes.saturating_sub(len);
        }
        show(written.bytes);
        Ok(())
    }

    /// Remembers what is streamed, for a start without a database.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn remember(&self, symbols: &BTreeSet<Symbol>) -> Result<(), SpillError> {
        let path = self.folder.join(SYMBOLS);
        let unwritten = |source| SpillError::file(&path, "written", source);
        let mut draft = tempfile::NamedTempFile::new_in(&self.folder).map_err(unwritten)?;
        let text = serde_json::to_vec(symbols).map_err(|error| unwritten(error.into()))?;
        draft.write_all(&text).map_err(unwritten)?;
        draft
            .persist(&path)
            .map_err(|error| unwritten(error.error))?;
        Ok(())
    }

    /// Returns what was streamed last; none where an engine has never run with this folder.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn remembered(&self) -> Result<Option<BTreeSet<Symbol>>, SpillError> {
        let path = self.folder.join(SYMBOLS);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SpillError::file(&path, "read", source)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| SpillError::file(&path, "read", error.into()))
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a gauge is a float"
)]
fn show(bytes: u64) {
    gauge!(BYTES).set(bytes as f64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::{Notice, NoticeEvent, Side};

    fn spill(folder: &Path, bytes_max: u64) -> Spill {
        let config = SpillConfig {
            folder: folder.join("spill"),
            bytes_max,
        };
        Spill::open(&config).unwrap()
    }

    fn notice(order: u8) -> Kept {
        Kept::Notice(Notice {
            received_us: 1,
            number: order.to_string(),
            original: None,
            symbol: "005930".parse().unwrap(),
            side: Side::Buy,
            order_qty: 1.try_into().unwrap(),
            time: jiff::civil::time(9, 0, 0, 0),
            event: NoticeEvent::Accepted,
        })
    }

    fn take(spill: &Spill) -> Vec<Leftover> {
        let left = spill.left().unwrap().into_iter();
        left.filter_map(|path| spill.claim(&path).unwrap())
            .collect()
    }

    #[test]
    fn what_another_process_writes_is_not_taken_and_what_it_leaves_is() {
        let home = tempfile::tempdir().unwrap();
        let (ours, theirs) = (spill(home.path(), 1_000), spill(home.path(), 1_000));
        theirs.keep(&[notice(1)]).unwrap();
        assert_eq!(take(&ours).len(), 0);
        drop(theirs);
        let taken = take(&ours);
        assert_eq!(taken.len(), 1);
        // Nobody else takes it meanwhile.
        assert_eq!(take(&spill(home.path(), 1_000)).len(), 0);
        for leftover in taken {
            ours.done(leftover, false).unwrap();
        }
        assert_eq!(take(&ours).len(), 0);
    }

    #[test]
    fn what_does_not_fit_is_refused_whole_and_fits_once_there_is_room() {
        let home = tempfile::tempdir().unwrap();
        let spill = spill(home.path(), 400);
        spill.keep(&[notice(1)]).unwrap();
        let bytes = spill.bytes();
        let error = spill.keep(&[notice(2), notice(3)]);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("spill.bytes_max is 400"), "{error}");
        assert_eq!(spill.bytes(), bytes);
        for leftover in take(&spill) {
            spill.done(leftover, false).unwrap();
        }
        assert_eq!(spill.bytes(), 0);
        spill.keep(&[notice(2), notice(3)]).unwrap();
    }

    #[test]
    fn a_damaged_file_stays_under_another_name() {
        let home = tempfile::tempdir().unwrap();
        let spill = spill(home.path(), 1_000);
        spill.keep(&[notice(1)]).unwrap();
        for leftover in take(&spill) {
            spill.done(leftover, true).unwrap();
        }
        assert_eq!(take(&spill).len(), 0);
        let left = std::fs::read_dir(spill.folder()).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().path()).collect();
        assert!(left[0].extension().unwrap() == DAMAGED, "{left:?}");
    }

    #[test]
    fn symbols_are_remembered() {
        let home = tempfile::tempdir().unwrap();
        let spill = spill(home.path(), 1_000);
        assert_eq!(spill.remembered().unwrap(), None);
        let symbols: BTreeSet<Symbol> = ["005930", "0000A0"]
            .map(|code| code.parse().unwrap())
            .into();
        spill.remember(&symbols).unwrap();
        assert_eq!(spill.remembered().unwrap(), Some(symbols));
        std::fs::write(spill.folder().join(SYMBOLS), "[1]").unwrap();
        assert!(spill.remembered().is_err());
    }
}
