//! Files of fundamentals: figures of companies, by the day from which they are known.

use jiff::civil::Date;
use rust_decimal::Decimal;
use turnstile_dataflows::model::Symbol;

use super::error::{FieldFault, RecordedError, of_column};
use super::fields;
use super::row_file::{FileRow, Opening, RowFile};
use super::table::{Column, Fields};

const COLUMNS: [Column; 9] = [
    ("symbol", true),
    ("report_date", true),
    ("per", false),
    ("pbr", false),
    ("psr", false),
    ("roe", false),
    ("debt_ratio", false),
    ("eps", false),
    ("bps", false),
];
/// Decimals of a ratio.
const RATIO_PLACES: u32 = 6;
/// Decimals of an amount.
const AMOUNT_PLACES: u32 = 4;

/// Figures of a company; at least one is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FundamentalRow {
    /// The issue.
    pub symbol: Symbol,
    /// The day from which they are known.
    pub report_date: Date,
    /// Price by earnings a share.
    pub per: Option<Decimal>,
    /// Price by book value a share.
    pub pbr: Option<Decimal>,
    /// Price by sales a share.
    pub psr: Option<Decimal>,
    /// Return on equity, a ratio: 0.15 is 15 %.
    pub roe: Option<Decimal>,
    /// Debt by equity, a ratio.
    pub debt_ratio: Option<Decimal>,
    /// Earnings a share, KRW.
    pub eps: Option<Decimal>,
    /// Book value a share, KRW.
    pub bps: Option<Decimal>,
}

impl FileRow for FundamentalRow {
    fn begin(file: Opening<'_>) -> Result<RowFile<Self>, RecordedError> {
        file.with(&COLUMNS, parse)
    }
}

pub(super) fn parse(row: &Fields<'_, 9>) -> Result<FundamentalRow, FieldFault> {
    let [symbol, date, per, pbr, psr, roe, debt_ratio, eps, bps] =
        row.map(Option::unwrap_or_default);
    let figure = |text, places, column| {
        let units = fields::optional(text, |text| fields::decimal(text, places));
        let units = units.map_err(of_column(column))?;
        Ok::<_, FieldFault>(units.map(|units| Decimal::new(units, places)))
    };
    let figures = FundamentalRow {
        symbol: fields::symbol(symbol).map_err(of_column("symbol"))?,
        report_date: fields::date(date).map_err(of_column("report_date"))?,
        per: figure(per, RATIO_PLACES, "per")?,
        pbr: figure(pbr, RATIO_PLACES, "pbr")?,
        psr: figure(psr, RATIO_PLACES, "psr")?,
        roe: figure(roe, RATIO_PLACES, "roe")?,
        debt_ratio: figure(debt_ratio, RATIO_PLACES, "debt_ratio")?,
        eps: figure(eps, AMOUNT_PLACES, "eps")?,
        bps: figure(bps, AMOUNT_PLACES, "bps")?,
    };
    let told = [per, pbr, psr, roe, debt_ratio, eps, bps];
    fields::at_least_one(&told, "figure").map_err(of_column("per"))?;
    Ok(figures)
}
