//! SHA-256 of a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use sha2::{Digest, Sha256};

const BUFFER: usize = 128 * 1_024;

/// Returns length and SHA-256 of a file, in hexadecimal digits. `on_read` is told of each portion.
pub(crate) fn of_file(path: &Path, mut on_read: impl FnMut(u64)) -> io::Result<(u64, String)> {
    let (mut sha256, mut bytes) = (Sha256::new(), 0_u64);
    let mut reader = BufReader::with_capacity(BUFFER, File::open(path)?);
    loop {
        let read = reader.fill_buf()?;
        if read.is_empty() {
            return Ok((bytes, hex(&sha256.finalize())));
        }
        sha256.update(read);
        let len = read.len();
        reader.consume(len);
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        bytes = bytes.saturating_add(len);
        on_read(len);
    }
}

/// Returns the digits of a digest.
pub(crate) fn hex(digest: &[u8]) -> String {
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}
