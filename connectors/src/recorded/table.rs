//! Rows of a CSV file with a header.

use std::io::Read;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ErrorKind, ReaderBuilder, Terminator};

use super::error::{Fault, FieldFault, RecordedError};
use super::fields::shown;
use super::file::{EndedLines, OnRead, is_content, open};

const BUFFER: usize = 128 * 1_024;
/// Faults that are kept of the lines left out; the rest is only counted.
const KEPT_MAX: usize = 10;

/// What a malformed line does. A fault of the header, or of a file as a whole, always stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnFault {
    /// It stops the reading.
    #[default]
    Stop,
    /// It is counted and left out.
    Skip,
}

/// Lines that were left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// What was wrong with the first of them.
    pub first: Vec<Fault>,
}

impl Skipped {
    fn add(&mut self, fault: Fault) {
        self.count += 1;
        if self.first.len() < KEPT_MAX {
            self.first.push(fault);
        }
    }

    /// Adds what was left out of another file.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.first.extend(other.first);
    }
}

/// A column: its name, and whether a file must have it.
pub(super) type Column = (&'static str, bool);

/// Fields of a row in the order of the columns asked for; none where the file lacks the column.
pub(super) type Fields<'r, const N: usize> = [Option<&'r [u8]>; N];

/// A CSV file with `N` known columns, read row by row.
pub(super) struct Table<const N: usize> {
    file: PathBuf,
    reader: csv::Reader<EndedLines<Box<dyn Read + Send>>>,
    record: ByteRecord,
    /// Where each known column stands.
    places: [Option<usize>; N],
    /// Names in the order of the file.
    names: Vec<&'static str>,
    on_fault: OnFault,
    skipped: Skipped,
}

impl<const N: usize> Table<N> {
    /// Opens `file` and reads its header.
    ///
    /// # Errors
    /// A file that cannot be read, or a header with a column missing, unknown or twice.
    pub(super) fn open(
        file: &Path,
        columns: &[Column; N],
        on_fault: OnFault,
        on_read: Option<OnRead>,
    ) -> Result<Self, RecordedError> {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(BUFFER)
            .from_reader(EndedLines::new(open(file, on_read)?));
        let mut table = Self {
            file: file.to_owned(),
            reader,
            record: ByteRecord::new(),
            places: [None; N],
            names: Vec::with_capacity(N),
            on_fault,
            skipped: Skipped::default(),
        };
        table.read_header(columns)?;
        Ok(table)
    }

    fn read_header(&mut self, columns: &[Column; N]) -> Result<(), RecordedError> {
        let is_there = self.read_record()?;
        let line = if is_there { self.line() } else { 1 };
        let fault = |column: String, reason: String| Fault {
            file: self.file.clone(),
            line,
            column: Some(column),
            reason,
        };
        let known = || columns.map(|(name, _is_needed)| name).join(", ");
        let count = if is_there { self.width() } else { 0 };
        for at in 0..count {
            let field = self.field(at);
            let found = columns
                .iter()
                .position(|(name, _is_needed)| name.as_bytes() == field);
            let Some(found) = found else {
                let column = String::from_utf8_lossy(field).into_owned();
                let reason = format!("unknown column, expected are {}", known());
                return Err(fault(column, reason).into());
            };
            let name = columns[found].0;
            if self.places[found].replace(at).is_some() {
                return Err(fault(name.to_owned(), "the column is there twice".to_owned()).into());
            }
            self.names.push(name);
        }
        let missing = columns
            .iter()
            .zip(&self.places)
            .find(|((_name, is_needed), place)| *is_needed && place.is_none());
        match missing {
            Some(((name, _is_needed), _place)) => {
                let reason = format!("the header lacks the column, known are {}", known());
                Err(fault((*name).to_owned(), reason).into())
            }
            None => Ok(()),
        }
    }

    /// Returns the next row that `parse` accepts, none at the end of the file.
    ///
    /// # Errors
    /// A file that cannot be read; a malformed line, unless those are left out.
    pub(super) fn next<T>(
        &mut self,
        mut parse: impl FnMut(&Fields<'_, N>) -> Result<T, FieldFault>,
    ) -> Result<Option<T>, RecordedError> {
        while self.read_record()? {
            let fault = if self.width() == self.names.len() {
                let fields = self
                    .places
                    .map(|place| place.and_then(|at| (at < self.width()).then(|| self.field(at))));
                match parse(&fields) {
                    Ok(row) => return Ok(Some(row)),
                    Err(fault) => fault.at(&self.file, self.line()),
                }
            } else {
                self.width_fault()
            };
            match self.on_fault {
                OnFault::Stop => return Err(fault.into()),
                OnFault::Skip => self.skipped.add(fault),
            }
        }
        Ok(None)
    }

    /// Returns what was left out so far.
    pub(super) fn skipped(&self) -> Skipped {
        self.skipped.clone()
    }

    /// Reads the next record that is not an empty line.
    fn read_record(&mut self) -> Result<bool, RecordedError> {
        loop {
            let is_there = match self.reader.read_byte_record(&mut self.record) {
                Ok(is_there) => is_there,
                Err(error) => return Err(self.unreadable(error)),
            };
            // An empty line with a carriage return is empty all the same.
            if !is_there || self.record.len() > 1 || self.record.get(0) != Some(b"\r") {
                return Ok(is_there);
            }
        }
    }

    fn unreadable(&self, error: csv::Error) -> RecordedError {
        let line = self.reader.position().line();
        match error.into_kind() {
            ErrorKind::Io(source) if !is_content(&source) => RecordedError::Read {
                file: self.file.clone(),
                source,
            },
            kind => {
                let reason = match kind {
                    ErrorKind::Io(source) => source.to_string(),
                    other => format!("{other:?}"),
                };
                Fault {
                    file: self.file.clone(),
                    line,
                    column: None,
                    reason: format!("the file cannot be read on: {reason}"),
                }
                .into()
            }
        }
    }

    fn width(&self) -> usize {
        self.record.len()
    }

    /// Returns a field, without the carriage return that belongs to the end of the line.
    fn field(&self, at: usize) -> &[u8] {
        let field = self.record.get(at).unwrap_or_default();
        if at + 1 == self.record.len() {
            field.strip_suffix(b"\r").unwrap_or(field)
        } else {
            field
        }
    }

    fn width_fault(&self) -> Fault {
        let (expected, width) = (self.names.len(), self.width());
        let mut reason = format!("{expected} fields expected, were {width}");
        let column = if let Some(missing) = self.names.get(width) {
            (*missing).to_owned()
        } else {
            let surplus = self.record.get(expected).unwrap_or_default();
            reason += &format!(", the first too many {}", shown(surplus));
            (expected + 1).to_string()
        };
        Fault {
            file: self.file.clone(),
            line: self.line(),
            column: Some(column),
            reason,
        }
    }

    /// Returns the line on which the record begins: every line has an end and every end that was
    /// read is counted, those inside of the record included.
    fn line(&self) -> u64 {
        let inner = self
            .record
            .iter()
            .flatten()
            .filter(|byte| **byte == b'\n')
            .count();
        let inner = u64::try_from(inner).unwrap_or(0);
        self.reader.position().line().saturating_sub(inner + 1)
    }
}

/// Reads all rows of a file.
///
/// # Errors
/// A file that cannot be read, its header, or a malformed line, unless those are left out.
pub(super) fn read_all<T, const N: usize>(
    file: &Path,
    columns: &[Column; N],
    on_fault: OnFault,
    mut parse: impl FnMut(&Fields<'_, N>) -> Result<T, FieldFault>,
) -> Result<(Vec<T>, Skipped), RecordedError> {
    let mut table = Table::open(file, columns, on_fault, None)?;
    let mut rows = Vec::new();
    while let Some(row) = table.next(&mut parse)? {
        rows.push(row);
    }
    let skipped = table.skipped();
    Ok((rows, skipped))
}

#[cfg(test)]
mod tests;
