//! Files of disclosures.

use turnstile_dataflows::model::{LogicalTime, Symbol};

use super::error::{FieldFault, RecordedError, of_column};
use super::fields;
use super::row_file::{FileRow, Opening, RowFile};
use super::table::{Column, Fields};

const COLUMNS: [Column; 5] = [
    ("receipt_no", true),
    ("symbol", true),
    ("disclosed_ts", true),
    ("title", true),
    ("url", false),
];
/// Longest number; that of DART has 14 digits.
const RECEIPT_LEN_MAX: usize = 32;

/// A disclosure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisclosureRow {
    /// Number at the authority.
    pub receipt_no: String,
    /// The issue.
    pub symbol: Symbol,
    /// When it was disclosed.
    pub disclosed: LogicalTime,
    /// Its title.
    pub title: String,
    /// Its address, if told.
    pub url: Option<String>,
}

impl FileRow for DisclosureRow {
    fn begin(file: Opening<'_>) -> Result<RowFile<Self>, RecordedError> {
        file.with(&COLUMNS, parse)
    }
}

pub(super) fn parse(row: &Fields<'_, 5>) -> Result<DisclosureRow, FieldFault> {
    let [receipt_no, symbol, disclosed, title, url] = row.map(Option::unwrap_or_default);
    Ok(DisclosureRow {
        receipt_no: receipt(receipt_no).map_err(of_column("receipt_no"))?,
        symbol: fields::symbol(symbol).map_err(of_column("symbol"))?,
        disclosed: fields::time(disclosed).map_err(of_column("disclosed_ts"))?,
        title: fields::filled(title)
            .map_err(of_column("title"))?
            .to_owned(),
        url: fields::optional(url, fields::filled)
            .map_err(of_column("url"))?
            .map(str::to_owned),
    })
}

fn receipt(text: &[u8]) -> Result<String, String> {
    let is_one = (1..=RECEIPT_LEN_MAX).contains(&text.len())
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    if !is_one {
        return Err(format!(
            "receipt number of 1 to {RECEIPT_LEN_MAX} digits, letters or hyphens expected, was {}",
            fields::shown(text)
        ));
    }
    fields::text(text).map(str::to_owned)
}
