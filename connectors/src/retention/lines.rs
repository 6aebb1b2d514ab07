//! The lines of an archive: a header, then one price a line, in the order of logical time.

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::digest::hex;

/// Columns that every line begins with.
const BEGIN: [&str; 2] = ["trade_date", "logical_us"];

/// What an archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// Prices.
    pub(super) rows: i64,
    /// Logical times of the first and the last of them.
    pub(super) span: Option<(i64, i64)>,
    /// Digest of all lines, header included.
    pub(super) sha256: String,
}

/// Takes lines one by one and says what is wrong with one.
pub(super) struct Lines {
    day: String,
    header: String,
    columns: usize,
    /// Lines taken, header included.
    count: u64,
    rows: i64,
    span: Option<(i64, i64)>,
    sha256: Sha256,
}

impl Lines {
    /// Returns what takes the lines of an archive of `day`.
    pub(super) fn of(day: Date, columns: &[String]) -> Self {
        Self {
            day: day.to_string(),
            header: columns.join(","),
            columns: columns.len(),
            count: 0,
            rows: 0,
            span: None,
            sha256: Sha256::new(),
        }
    }

    /// Takes the next line, with its end.
    ///
    /// # Errors
    /// Number and fault of a line that does not belong there.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<(), String> {
        self.count += 1;
        let number = self.count;
        let taken = self.read(line);
        taken.map_err(|reason| format!("line {number}: {reason}"))?;
        self.sha256.update(line);
        Ok(())
    }

    fn read(&mut self, line: &[u8]) -> Result<(), String> {
        let text = line
            .strip_suffix(b"\n")
            .ok_or_else(|| "it breaks off".to_owned())?;
        if self.count == 1 {
            let is_known =
                text == self.header.as_bytes() && self.header.starts_with(&BEGIN.join(","));
            let header = &self.header;
            return is_known.then_some(()).ok_or_else(|| {
                let found = String::from_utf8_lossy(text);
                format!("columns {header} expected, was {found}")
            });
        }
        let found = fields(text).ok_or_else(|| "a quoted field does not end".to_owned())?;
        if found != self.columns {
            let expected = self.columns;
            return Err(format!("{expected} fields expected, was {found}"));
        }
        let mut begin = text.splitn(3, |byte| *byte == b',').map(|field| {
            std::str::from_utf8(field).unwrap_or_default() // No date and no time either.
        });
        let day = begin.next().unwrap_or_default();
        if day != self.day {
            let expected = &self.day;
            return Err(format!("price of {expected} expected, was {day:?}"));
        }
        let us = begin.next().unwrap_or_default();
        let us: i64 = us
            .parse()
            .map_err(|_| format!("logical time expected, was {us:?}"))?;
        let (first, last) = self.span.unwrap_or((us, i64::MIN));
        if us <= last {
            return Err(format!("logical time above {last} expected, was {us}"));
        }
        self.span = Some((first, us));
        self.rows += 1;
        Ok(())
    }

    /// Returns what was taken.
    ///
    /// # Errors
    /// If not even the header was.
    pub(super) fn end(self) -> Result<Content, String> {
        if self.count == 0 {
            return Err("line 1: it is missing".to_owned());
        }
        Ok(Content {
            rows: self.rows,
            span: self.span,
            sha256: hex(&self.sha256.finalize()),
        })
    }
}

/// Returns how many fields a line of CSV has; none where a quoted one does not end.
fn fields(line: &[u8]) -> Option<usize> {
    let (mut count, mut is_quoted) = (1, false);
    for byte in line {
        match byte {
            // A quote within quotes is doubled, which leaves this as it was.
            b'"' => is_quoted = !is_quoted,
            b',' if !is_quoted => count += 1,
            _ => {}
        }
    }
    (!is_quoted).then_some(count)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "trade_date,logical_us,symbol\n";

    fn taken(lines: &[&str]) -> Result<Content, String> {
        let columns = ["trade_date", "logical_us", "symbol"].map(str::to_owned);
        let mut taken = Lines::of(date(2026, 11, 1), &columns);
        for line in lines {
            taken.take(line.as_bytes())?;
        }
        taken.end()
    }

    #[test]
    fn rows_and_their_span_are_told() {
        let lines = [HEADER, "2026-11-01,5,A\n", "2026-11-01,9,\"B,\"\"C\"\n"];
        let content = taken(&lines).unwrap();
        assert_eq!((content.rows, content.span), (2, Some((5, 9))));
        assert_eq!(content.sha256, hex(&Sha256::digest(lines.concat())));
        let none = taken(&[HEADER]).unwrap();
        assert_eq!((none.rows, none.span), (0, None));
    }

    #[test]
    fn a_line_that_does_not_belong_there_is_told_with_its_number() {
        let good = "2026-11-01,5,A\n";
        for (line, told) in [
            ("2026-11-01,6,A", "line 3: it breaks off"),
            ("2026-11-01,6\n", "line 3: 3 fields expected, was 2"),
            ("2026-11-01,6,\"A\n", "line 3: a quoted field does not end"),
            (
                "2026-11-02,6,A\n",
                "line 3: price of 2026-11-01 expected, was \"2026-11-02\"",
            ),
            (
                "2026-11-01,6x,A\n",
                "line 3: logical time expected, was \"6x\"",
            ),
            (
                "2026-11-01,5,A\n",
                "line 3: logical time above 5 expected, was 5",
            ),
        ] {
            assert_eq!(taken(&[HEADER, good, line]).unwrap_err(), told);
        }
        assert_eq!(taken(&[]).unwrap_err(), "line 1: it is missing");
        assert!(
            taken(&["day,us\n"])
                .unwrap_err()
                .starts_with("line 1: columns trade_date")
        );
    }

    proptest! {
        #[test]
        fn any_line_is_taken_or_told_and_never_panics(line in prop::collection::vec(any::<u8>(), 0..80)) {
            let columns = ["trade_date", "logical_us", "symbol"].map(str::to_owned);
            let mut lines = Lines::of(date(2026, 11, 1), &columns);
            lines.take(HEADER.as_bytes()).unwrap();
            if let Err(told) = lines.take(&line) {
                prop_assert!(told.starts_with("line 2: "));
            }
        }

        #[test]
        fn fields_are_those_that_a_csv_reader_finds(
            row in prop::collection::vec("[a,\"é ]{0,6}", 1..6)
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&row).unwrap();
            let written = writer.into_inner().unwrap();
            prop_assert_eq!(fields(written.strip_suffix(b"\n").unwrap()), Some(row.len()));
        }
    }
}
