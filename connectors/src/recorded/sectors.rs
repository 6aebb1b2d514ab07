//! Files that tell the sector of issues.

use turnstile_dataflows::model::Symbol;

use super::error::{FieldFault, RecordedError, of_column};
use super::fields;
use super::row_file::{FileRow, Opening, RowFile};
use super::table::{Column, Fields};

const COLUMNS: [Column; 3] = [("symbol", true), ("sector", true), ("industry", false)];

/// Where an issue belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorRow {
    /// The issue.
    pub symbol: Symbol,
    /// Its sector.
    pub sector: String,
    /// Its industry, if told.
    pub industry: Option<String>,
}

impl FileRow for SectorRow {
    fn begin(file: Opening<'_>) -> Result<RowFile<Self>, RecordedError> {
        file.with(&COLUMNS, parse)
    }
}

pub(super) fn parse(row: &Fields<'_, 3>) -> Result<SectorRow, FieldFault> {
    let [symbol, sector, industry] = row.map(Option::unwrap_or_default);
    Ok(SectorRow {
        symbol: fields::symbol(symbol).map_err(of_column("symbol"))?,
        sector: fields::filled(sector)
            .map_err(of_column("sector"))?
            .to_owned(),
        industry: fields::optional(industry, fields::filled)
            .map_err(of_column("industry"))?
            .map(str::to_owned),
    })
}
