//! A file whose rows are read one by one, whatever they are.

use std::path::Path;

use super::error::{FieldFault, RecordedError};
use super::file::OnRead;
use super::table::{Column, Fields, OnFault, Skipped, Table};

/// A row that files hold: each kind has columns of its own.
pub trait FileRow: Sized {
    /// Opens `file` and reads its header. `on_read` is told the bytes read.
    ///
    /// # Errors
    /// A file that cannot be read, or a header with a column missing, unknown or twice.
    fn open(
        file: &Path,
        on_fault: OnFault,
        on_read: Option<OnRead>,
    ) -> Result<RowFile<Self>, RecordedError>;
}

/// A file of such rows.
pub struct RowFile<T> {
    rows: Box<dyn Rows<T> + Send>,
}

impl<T> RowFile<T> {
    /// Opens `file` with these columns, whose lines `parse` reads.
    pub(super) fn of<const N: usize>(
        file: &Path,
        columns: &[Column; N],
        parse: fn(&Fields<'_, N>) -> Result<T, FieldFault>,
        on_fault: OnFault,
        on_read: Option<OnRead>,
    ) -> Result<Self, RecordedError>
    where
        T: 'static,
    {
        let table = Table::open(file, columns, on_fault, on_read)?;
        Ok(Self {
            rows: Box::new(Parsed { table, parse }),
        })
    }

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
