//! Files of rankings that others keep.

use jiff::civil::Date;
use turnstile_dataflows::model::Symbol;

use super::error::{FieldFault, RecordedError, of_column};
use super::fields;
use super::row_file::{FileRow, Opening, RowFile};
use super::table::{Column, Fields};

const COLUMNS: [Column; 5] = [
    ("category", true),
    ("market", true),
    ("rank", true),
    ("symbol", true),
    ("collected_on", true),
];

/// A place on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankingRow {
    /// What the list is of: POPULAR.
    pub category: &'static str,
    /// KOSPI or KOSDAQ.
    pub market: &'static str,
    /// Place, from 1.
    pub rank: i32,
    /// The issue.
    pub symbol: Symbol,
    /// Day of the list.
    pub collected_on: Date,
}

impl FileRow for RankingRow {
    fn begin(file: Opening<'_>) -> Result<RowFile<Self>, RecordedError> {
        file.with(&COLUMNS, parse)
    }
}

pub(super) fn parse(row: &Fields<'_, 5>) -> Result<RankingRow, FieldFault> {
    let [category, market, rank, symbol, collected_on] = row.map(Option::unwrap_or_default);
    Ok(RankingRow {
        category: fields::one_of(category, &["POPULAR"]).map_err(of_column("category"))?,
        market: fields::one_of(market, &["KOSPI", "KOSDAQ"]).map_err(of_column("market"))?,
        rank: place(rank).map_err(of_column("rank"))?,
        symbol: fields::symbol(symbol).map_err(of_column("symbol"))?,
        collected_on: fields::date(collected_on).map_err(of_column("collected_on"))?,
    })
}

fn place(text: &[u8]) -> Result<i32, String> {
    let rank = i32::try_from(fields::integer(text)?).ok();
    rank.filter(|rank| *rank > 0)
        .ok_or_else(|| format!("rank from 1 on expected, was {}", fields::shown(text)))
}
