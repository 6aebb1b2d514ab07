//! Opening a file, plain or compressed.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::error::RecordedError;

/// Told how many bytes of a file were read since it was last told; compressed bytes where the file
/// is compressed.
pub type OnRead = Box<dyn FnMut(u64) + Send>;

const BUFFER: usize = 128 * 1_024;
/// The first two bytes of a gzip file (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// What some programs put before UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

/// Opens `file` for reading. What is compressed shows by its content, not by its name.
///
/// # Errors
/// If it cannot be opened or read.
pub(super) fn open(
    file: &Path,
    on_read: Option<OnRead>,
) -> Result<Box<dyn Read + Send>, RecordedError> {
    let unreadable = |source| RecordedError::Read {
        file: file.to_owned(),
        source,
    };
    let mut opened = Told {
        inner: File::open(file).map_err(unreadable)?,
        on_read,
    };
    let mut head = Vec::with_capacity(3);
    (&mut opened)
        .take(3)
        .read_to_end(&mut head)
        .map_err(unreadable)?;
    let is_compressed = head.starts_with(&GZIP);
    if head == BYTE_ORDER_MARK {
        head.clear();
    }
    let all = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(opened));
    Ok(if is_compressed {
        Box::new(MultiGzDecoder::new(all))
    } else {
        Box::new(all)
    })
}

/// Returns whether an error of reading comes from the content, such as a compressed file that ends
/// too early, and not from the system.
pub(super) fn is_content(error: &io::Error) -> bool {
    error.raw_os_error().is_none()
}

/// Tells how much is read.
struct Told<R> {
    inner: R,
    on_read: Option<OnRead>,
}

impl<R: Read> Read for Told<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        if let Some(on_read) = &mut self.on_read {
            on_read(u64::try_from(len).unwrap_or(u64::MAX));
        }
        Ok(len)
    }
}

/// Gives the last line an end where it has none, so that every line has one.
pub(super) struct EndedLines<R> {
    inner: R,
    last: u8,
}

impl<R> EndedLines<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, last: b'\n' }
    }
}

impl<R: Read> Read for EndedLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        if let Some(last) = buffer[..len].last() {
            self.last = *last;
            return Ok(len);
        }
        match buffer.first_mut() {
            Some(first) if self.last != b'\n' => {
                (*first, self.last) = (b'\n', b'\n');
                Ok(1)
            }
            _ => Ok(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_an_end() {
        for (text, ended) in [
            ("", ""),
            ("a", "a\n"),
            ("a\nb", "a\nb\n"),
            ("a\n\n", "a\n\n"),
        ] {
            let mut read = String::new();
            EndedLines::new(text.as_bytes())
                .read_to_string(&mut read)
                .unwrap();
            assert_eq!(read, ended);
        }
    }
}
