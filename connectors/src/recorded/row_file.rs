//! A file whose rows are read one by one, whatever they are.

use std::path::Path;

use super::error::{FieldFault, RecordedError};
use super::file::OnRead;
use super::table::{Column, Fields, OnFault, Skipped, Table};

/// A row that files hold: each kind has columns of its own.
pub trait FileRow: Sized {
    /// Reads the header of a file of such rows.
    ///
    /// # Errors
    /// Those of [`Self::open`].
    fn begin(file: Opening<'_>) -> Result<RowFile<Self>, RecordedError>;

    /// Opens `file` and reads its header. `on_read` is told the bytes read.
    ///
    /// # Errors
    /// A file that cannot be read, or a header with a column missing, unknown or twice.
    fn open(
        file: &Path,
        on_fault: OnFault,
        on_read: Option<OnRead>,
    ) -> Result<RowFile<Self>, RecordedError> {
        Self::begin(Opening {
            file,
            on_fault,
            on_read,
        })
    }
}

/// A file that is about to be read, whatever its rows are.
pub struct Opening<'f> {
    file: &'f Path,
    on_fault: OnFault,
    on_read: Option<OnRead>,
}

impl Opening<'_> {
    /// Opens the file with these columns, whose lines `parse` reads.
    pub(super) fn with<T: 'static, const N: usize>(
        self,
        columns: &[Column; N],
        parse: fn(&Fields<'_, N>) -> Result<T, FieldFault>,
    ) -> Result<RowFile<T>, RecordedError> {
        let table = Table::open(self.file, columns, self.on_fault, self.on_read)?;
        Ok(RowFile {
            rows: Box::new(Parsed { table, parse }),
        })
    }
}

/// A file of such rows.
pub struct RowFile<T> {
    rows: Box<dyn Rows<T> + Send>,
}

impl<T> RowFile<T> {
    /// Returns the next row, none at the end.
    ///
    /// # Errors
    /// A file that cannot be read on; a malformed line, unless those are left out.
    pub fn next_row(&mut self) -> Result<Option<T>, RecordedError> {
        self.rows.next_row()
    }

    /// Returns what was left out so far.
    pub fn skipped(&self) -> Skipped {
        self.rows.skipped()
    }
}

/// Forgets how many columns a file has.
trait Rows<T> {
    fn next_row(&mut self) -> Result<Option<T>, RecordedError>;
    fn skipped(&self) -> Skipped;
}

struct Parsed<T, const N: usize> {
    table: Table<N>,
    parse: fn(&Fields<'_, N>) -> Result<T, FieldFault>,
}

impl<T, const N: usize> Rows<T> for Parsed<T, N> {
    fn next_row(&mut self) -> Result<Option<T>, RecordedError> {
        self.table.next(self.parse)
    }

    fn skipped(&self) -> Skipped {
        self.table.skipped()
    }
}

#[cfg(test)]
mod tests;
