//! Archives as files: written beside their name, put there whole, read back.

use std::fs::{File, Permissions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use jiff::civil::Date;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::error::RetentionError;
use super::lines::{Content, Lines};
use crate::digest::hex;
use crate::recorded::OnRead;

/// Begin and end of the names of files that are being written.
const DRAFT: (&str, &str) = (".prices_", ".partial");
/// Archives may be read by others, as far as the umask lets them.
const MODE: u32 = 0o644;
const BUFFER: usize = 128 * 1_024;
/// Longest line: many times that of a price.
const LINE_MAX: u64 = 64 * 1_024;

/// Length and digest of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digested {
    pub(super) bytes: i64,
    pub(super) sha256: String,
}

/// An archive that has no name yet. Dropped, it is gone.
pub(super) struct Draft {
    file: NamedTempFile,
    pub(super) content: Content,
    pub(super) digested: Digested,
}

/// Returns the name of an archive's table, and with an end that of its file.
pub(super) fn table_name(day: Date, part: i32) -> String {
    let day = day.strftime("%Y%m%d");
    match part {
        1 => format!("prices_{day}"),
        part => format!("prices_{day}_{part}"),
    }
}

pub(super) fn file_name(table: &str) -> String {
    format!("{table}.csv.gz")
}

/// Removes what a process that was killed has left of drafts.
pub(super) fn remove_drafts(folder: &Path) -> Result<(), RetentionError> {
    let unreadable = |source| RetentionError::file(folder, "read", source);
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(DRAFT.0) && name.ends_with(DRAFT.1) {
            let path = entry.path();
            std::fs::remove_file(&path)
                .map_err(|source| RetentionError::file(&path, "removed", source))?;
        }
    }
    Ok(())
}

/// Compresses what `chunks` gives, whole lines each, into a draft that is safe on the disk.
pub(super) fn draft(
    folder: &Path,
    day: Date,
    lines: Lines,
    chunks: mpsc::Receiver<Vec<u8>>,
) -> Result<Draft, RetentionError> {
    let unwritten = |source| RetentionError::file(folder, "written to", source);
    let file = tempfile::Builder::new()
        .prefix(DRAFT.0)
        .suffix(DRAFT.1)
        .permissions(Permissions::from_mode(MODE))
        .tempfile_in(folder)
        .map_err(unwritten)?;
    let hashed = Hashed {
        inner: file,
        bytes: 0,
        sha256: Sha256::new(),
    };
    let mut encoder = GzEncoder::new(hashed, Compression::default());
    let content = take_chunks(day, lines, chunks, |chunk| {
        encoder.write_all(chunk).map_err(unwritten)
    })?;
    let hashed = encoder.finish().map_err(unwritten)?;
    hashed.inner.as_file().sync_all().map_err(unwritten)?;
    Ok(Draft {
        digested: Digested {
            bytes: hashed.bytes,
            sha256: hex(&hashed.sha256.finalize()),
        },
        file: hashed.inner,
        content,
    })
}

/// Takes the lines that `chunks` gives, and hands each chunk on.
pub(super) fn take_chunks(
    day: Date,
    mut lines: Lines,
    mut chunks: mpsc::Receiver<Vec<u8>>,
    mut hand_on: impl FnMut(&[u8]) -> Result<(), RetentionError>,
) -> Result<Content, RetentionError> {
    let unfit = |reason| RetentionError::Unfit { day, reason };
    while let Some(chunk) = chunks.blocking_recv() {
        for line in chunk.split_inclusive(|byte| *byte == b'\n') {
            lines.take(line).map_err(unfit)?;
        }
        hand_on(&chunk)?;
    }
    lines.end().map_err(unfit)
}

impl Draft {
    /// Gives the draft its name. A file that has it already is left as it is.
    pub(super) fn place(self, path: &Path) -> Result<Digested, RetentionError> {
        self.file
            .persist_noclobber(path)
            .map_err(|error| RetentionError::file(path, "made", error.error))?;
        sync_folder_of(path)?;
        Ok(self.digested)
    }
}

/// Writes the file beside the archive that `sha256sum -c` reads.
pub(super) fn write_sidecar(path: &Path, sha256: &str) -> Result<(), RetentionError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let text = format!("{sha256}  {name}\n");
    let sidecar = PathBuf::from(format!("{}.sha256", path.display()));
    let write = || {
        if std::fs::read(&sidecar).is_ok_and(|found| found == text.as_bytes()) {
            return Ok(());
        }
        let folder = sidecar.parent().unwrap_or_else(|| Path::new("."));
        let mut file = tempfile::Builder::new()
            .prefix(DRAFT.0)
            .suffix(DRAFT.1)
            .permissions(Permissions::from_mode(MODE))
            .tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&sidecar).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|source| RetentionError::file(&sidecar, "written", source))?;
    sync_folder_of(path)
}

fn sync_folder_of(path: &Path) -> Result<(), RetentionError> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| RetentionError::file(folder, "written to", source))
}

/// Returns length and digest of a file.
pub(super) fn digest(path: &Path, on_read: &mut OnRead) -> Result<Digested, RetentionError> {
    let (bytes, sha256) = crate::digest::of_file(path, on_read)
        .map_err(|source| RetentionError::file(path, "read", source))?;
    Ok(Digested {
        bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
        sha256,
    })
}

/// Reads the lines of an archive, and hands each on.
pub(super) fn read_lines(
    path: &Path,
    mut lines: Lines,
    on_read: &mut OnRead,
    mut hand_on: impl FnMut(&[u8]) -> Result<(), RetentionError>,
) -> Result<Content, RetentionError> {
    let damaged = |reason| RetentionError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let file = File::open(path).map_err(|source| RetentionError::file(path, "read", source))?;
    let told = Told {
        inner: file,
        on_read,
    };
    let told = BufReader::with_capacity(BUFFER, told);
    let mut reader = BufReader::with_capacity(BUFFER, GzDecoder::new(told));
    let (mut line, mut count) = (Vec::new(), 0_u64);
    loop {
        line.clear();
        let read = (&mut reader).take(LINE_MAX).read_until(b'\n', &mut line);
        let len = read.map_err(|error| match error.raw_os_error() {
            Some(_) => RetentionError::file(path, "read", error),
            None => damaged(format!(
                "the compressed data ends or breaks after line {count}: {error}"
            )),
        })?;
        if len == 0 {
            break;
        }
        count += 1;
        lines.take(&line).map_err(damaged)?;
        hand_on(&line)?;
    }
    lines.end().map_err(damaged)
}

/// Counts and digests what is written through it.
struct Hashed<W> {
    inner: W,
    bytes: i64,
    sha256: Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.inner.write(bytes)?;
        self.sha256.update(&bytes[..len]);
        self.bytes += i64::try_from(len).unwrap_or(i64::MAX);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Tells how much is read.
struct Told<'r, R> {
    inner: R,
    on_read: &'r mut OnRead,
}

impl<R: Read> Read for Told<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        (self.on_read)(u64::try_from(len).unwrap_or(u64::MAX));
        Ok(len)
    }
}
