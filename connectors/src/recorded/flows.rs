//! Files of investor flows: who bought more than he sold, by day.

use jiff::civil::Date;
use turnstile_dataflows::model::Symbol;

use super::error::{FieldFault, RecordedError, of_column};
use super::fields;
use super::row_file::{FileRow, Opening, RowFile};
use super::table::{Column, Fields};

const COLUMNS: [Column; 5] = [
    ("symbol", true),
    ("date", true),
    ("foreign_net", false),
    ("institution_net", false),
    ("individual_net", false),
];

/// Shares bought less shares sold on a day; at least one is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRow {
    /// The issue.
    pub symbol: Symbol,
    /// Trading day.
    pub date: Date,
    /// By foreigners.
    pub foreign_net: Option<i64>,
    /// By institutions.
    pub institution_net: Option<i64>,
    /// By individuals.
    pub individual_net: Option<i64>,
}

impl FileRow for FlowRow {
    fn begin(file: Opening<'_>) -> Result<RowFile<Self>, RecordedError> {
        file.with(&COLUMNS, parse)
    }
}

pub(super) fn parse(row: &Fields<'_, 5>) -> Result<FlowRow, FieldFault> {
    let [symbol, date, foreign, institution, individual] = row.map(Option::unwrap_or_default);
    let net = |text, column| fields::optional(text, fields::integer).map_err(of_column(column));
    let flow = FlowRow {
        symbol: fields::symbol(symbol).map_err(of_column("symbol"))?,
        date: fields::date(date).map_err(of_column("date"))?,
        foreign_net: net(foreign, "foreign_net")?,
        institution_net: net(institution, "institution_net")?,
        individual_net: net(individual, "individual_net")?,
    };
    fields::at_least_one(&[foreign, institution, individual], "net purchase")
        .map_err(of_column("foreign_net"))?;
    Ok(flow)
}
