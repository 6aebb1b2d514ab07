//! Figures of a company that come with its current price (KIS Open API, 6.1). What an answer does not
//! say is `None`, never a guess.

use rust_decimal::Decimal;
use turnstile_dataflows::model::Symbol;

use super::row::Row;
use super::{KisClient, Request};
use crate::kis::error::{KisError, Malformed};
use crate::kis::limiter::Lane;
use crate::kis::tr::Tr;

/// No figure is as large as this, and the tables hold what is less.
const FIGURE_END: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// What the broker says of one company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompanyFigures {
    /// The issue.
    pub symbol: Symbol,
    /// Price by earnings a share.
    pub per: Option<Decimal>,
    /// Price by book value a share.
    pub pbr: Option<Decimal>,
    /// Earnings a share, KRW.
    pub eps: Option<Decimal>,
    /// Book value a share, KRW.
    pub bps: Option<Decimal>,
    /// Name of the sector.
    pub sector: Option<String>,
    /// Whether an investment caution, warning or risk is in force (투자주의, 투자경고, 투자위험).
    pub is_caution: Option<bool>,
}

impl KisClient {
    /// Returns the figures of `symbol` (inquire-price); none where the broker answers something that
    /// cannot be used. Asking again would bring the same.
    ///
    /// # Errors
    /// As for every query.
    pub async fn figures(
        &self,
        symbol: Symbol,
        lane: Lane,
    ) -> Result<Option<CompanyFigures>, KisError> {
        let reply = self.query(&Request::price_of(symbol, lane)).await?;
        let place = Tr::Price.name();
        let read = Row::one(place, &reply.body, "output").and_then(|row| read(row, symbol));
        Ok(read.inspect_err(|fault| self.report(fault)).ok())
    }
}

fn read(row: Row<'_>, symbol: Symbol) -> Result<CompanyFigures, Malformed> {
    if let Some(told) = row.optional_text("stck_shrn_iscd")
        && !told.ends_with(&symbol.to_string())
    {
        let reason = format!("stck_shrn_iscd: {symbol} expected, was {told}");
        return Err(Malformed::new(Tr::Price.name(), reason));
    }
    let figure = |key: &str| {
        let figure = row.decimal(key)?;
        if figure.abs() >= FIGURE_END {
            let reason = format!("{key}: less than {FIGURE_END} expected, was {figure}");
            return Err(Malformed::new(Tr::Price.name(), reason));
        }
        // The broker writes 0 for what it does not know; no price is 0 times anything.
        Ok(Some(figure).filter(|figure| !figure.is_zero()))
    };
    let warning = match row.text("mrkt_warn_cls_code") {
        "00" => Some(false),
        "01" | "02" | "03" => Some(true),
        _ => None,
    };
    Ok(CompanyFigures {
        symbol,
        per: figure("per")?,
        pbr: figure("pbr")?,
        eps: figure("eps")?,
        bps: figure("bps")?,
        sector: row.optional_text("bstp_kor_isnm").map(str::to_owned),
        is_caution: match (row.optional_flag("invt_caful_yn"), warning) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
    })
}
