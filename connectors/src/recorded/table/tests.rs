use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tempfile::NamedTempFile;

use super::super::fields::{integer, text};
use super::*;
use crate::recorded::error::of_column;

const COLUMNS: [Column; 3] = [("a", true), ("n", true), ("extra", false)];

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn parse(row: &Fields<'_, 3>) -> Result<(String, i64, Option<String>), FieldFault> {
    let [a, n, extra] = *row;
    let a = text(a.unwrap()).map_err(of_column("a"))?.to_owned();
    let n = integer(n.unwrap()).map_err(of_column("n"))?;
    let extra = extra.map(text).transpose().map_err(of_column("extra"))?;
    Ok((a, n, extra.map(str::to_owned)))
}

type Rows = (Vec<(String, i64, Option<String>)>, Skipped);

fn read(bytes: &[u8], on_fault: OnFault) -> Result<Rows, RecordedError> {
    read_all(file(bytes).path(), &COLUMNS, on_fault, parse)
}

/// Returns the message of the first fault without the name of the file.
fn fault(bytes: &[u8]) -> String {
    match read(bytes, OnFault::Stop) {
        Err(RecordedError::Malformed(faults)) => {
            let told = faults[0].to_string();
            told.split_once(": ").unwrap().1.to_owned()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn columns_stand_in_any_order_and_optional_ones_may_lack() {
    let (rows, _) = read(b"n,a\n1,x\n", OnFault::Stop).unwrap();
    assert_eq!(rows, [("x".to_owned(), 1, None)]);
    let (rows, _) = read(b"extra,a,n\n\"e,\"\"e\",x,1", OnFault::Stop).unwrap();
    assert_eq!(rows, [("x".to_owned(), 1, Some("e,\"e".to_owned()))]);
}

#[test]
fn a_header_must_be_there_and_known() {
    let lacks = "line 1, column a: the header lacks the column, known are a, n, extra";
    assert_eq!(fault(b""), lacks);
    assert_eq!(fault(b"\n\n"), lacks);
    assert_eq!(fault(b"n\n1\n").as_str(), lacks);
    let unknown = fault(b"\na,n,b\n");
    assert!(
        unknown.starts_with("line 2, column b: unknown column"),
        "{unknown}"
    );
    assert!(fault(b"A,n\n").starts_with("line 1, column A: unknown column"));
    assert!(fault(b"a,n,a\n").starts_with("line 1, column a: the column is there twice"));
    assert!(fault(b"x,1\n").starts_with("line 1, column x: unknown column"));
    // Nothing can be left out where no line can be understood.
    assert!(read(b"a,b\n", OnFault::Skip).is_err());
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    for text in [
        "a,n\nx,1\n\n\"x\ny\",2\nz,?\n",
        "a,n\r\nx,1\r\n\r\n\"x\r\ny\",2\r\nz,?\r\n",
        "a,n\r\nx,1\n\n\"x\ny\",2\r\nz,?",
        "\u{feff}a,n\nx,1\n\n\"x\ny\",2\nz,?",
    ] {
        let told = fault(text.as_bytes());
        assert_eq!(
            told, "line 6, column n: whole number expected, was \"?\"",
            "{text:?}"
        );
    }
    assert!(fault(b"a,n\n\"x\ny\",?\nz,1").starts_with("line 2, column n"));
}

#[test]
fn a_carriage_return_belongs_to_the_end_of_the_line() {
    let (rows, _) = read(b"n,a\r\n1,x\r\n2,\"y\"\r\n", OnFault::Stop).unwrap();
    let names: Vec<_> = rows.into_iter().map(|(a, _, _)| a).collect();
    assert_eq!(names, ["x", "y"]);
}

#[test]
fn a_wrong_number_of_fields_is_a_fault() {
    assert_eq!(
        fault(b"a,n\nx\n"),
        "line 2, column n: 2 fields expected, were 1"
    );
    assert_eq!(
        fault(b"a,n\nx,1,2\n"),
        "line 2, column 3: 2 fields expected, were 3, the first too many \"2\""
    );
}

#[test]
fn bad_lines_are_left_out_and_counted() {
    let (rows, skipped) = read(b"a,n\nx,?\ny,2\nz\n\xff,3\n", OnFault::Skip).unwrap();
    assert_eq!(rows, [("y".to_owned(), 2, None)]);
    assert_eq!(skipped.count, 3);
    let lines: Vec<u64> = skipped.first.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [2, 4, 5]);
}

#[test]
fn what_is_compressed_shows_by_its_content() {
    let whole = compressed(b"a,n\nx,1\n");
    let expected = [("x".to_owned(), 1, None)];
    assert_eq!(read(&whole, OnFault::Stop).unwrap().0, expected);
    // Files put together are one file.
    let joined = [compressed(b"a,n\n"), compressed(b"x,1\n")].concat();
    assert_eq!(read(&joined, OnFault::Stop).unwrap().0, expected);
}

#[test]
fn a_compressed_file_that_is_cut_or_broken_is_malformed_also_where_lines_may_be_left_out() {
    let rows: String = (0..20_000)
        .map(|n| format!("x{},{n}\n", n * 7_919))
        .collect();
    let whole = compressed(format!("a,n\n{rows}").as_bytes());
    for len in [2, 5, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        for on_fault in [OnFault::Stop, OnFault::Skip] {
            match read(&whole[..len], on_fault) {
                Err(RecordedError::Malformed(faults)) => {
                    assert!(faults[0].reason.starts_with("the file cannot be read on"));
                }
                other => panic!("{len}: {other:?}"),
            }
        }
    }
    let mut broken = whole.clone();
    let middle = broken.len() / 2;
    broken[middle] ^= 0x55;
    assert!(read(&broken, OnFault::Stop).is_err());
}

#[test]
fn a_file_that_is_not_there_is_no_malformed_one() {
    for place in ["/nonexistent", "/"] {
        let error = read_all(Path::new(place), &COLUMNS, OnFault::Skip, parse).unwrap_err();
        assert!(
            matches!(error, RecordedError::Read { .. }),
            "{place}: {error:?}"
        );
    }
}

proptest! {
    #[test]
    fn rows_survive_their_text(rows in prop::collection::vec((".*", any::<i64>()), 0..20)) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["a", "n"]).unwrap();
        for (a, n) in &rows {
            writer.write_record([a.as_str(), &n.to_string()]).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let (read, _) = read(&text, OnFault::Stop).unwrap();
        let expected: Vec<_> = rows.into_iter().map(|(a, n)| (a, n, None)).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let with_header = [b"a,n\n".as_slice(), &bytes].concat();
        drop(read(&bytes, OnFault::Skip));
        drop(read(&with_header, OnFault::Skip));
        drop(read(&with_header, OnFault::Stop));
    }
}
