//! State of a listing (KIS Open API, 6.5). Only `cptt_trad_tr_psbl_yn`, `nxt_tr_stop_yn`,
//! `tr_stop_yn` and `admn_item_yn` are confirmed; every other field is unconfirmed and taken only
//! where it is there and reads well. What an answer does not say is `None`, never a guess.

use jiff::civil::Date;
use turnstile_dataflows::model::Symbol;

use super::row::Row;
use super::{KisClient, Request};
use crate::kis::error::{KisError, Malformed};
use crate::kis::limiter::Lane;
use crate::kis::tr::Tr;

/// Product type of Korean issues.
const PRODUCT_TYPE: &str = "300";
/// Begin and end of the listing on each market.
const LISTINGS: [(&str, &str); 2] = [
    ("scts_mket_lstg_dt", "scts_mket_lstg_abol_dt"),
    ("kosdaq_mket_lstg_dt", "kosdaq_mket_lstg_abol_dt"),
];

/// What the broker says of one issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockInfo {
    /// The issue.
    pub symbol: Symbol,
    /// Whether trading is stopped.
    pub is_stopped: Option<bool>,
    /// Whether it is an administrative issue (관리종목).
    pub is_managed: Option<bool>,
    /// Whether it can be traded on NXT.
    pub is_on_nxt: Option<bool>,
    /// Whether trading is stopped on NXT.
    pub is_stopped_on_nxt: Option<bool>,
    /// Short name. Unconfirmed.
    pub name: Option<String>,
    /// `KOSPI`, `KOSDAQ` or `KONEX`. Unconfirmed.
    pub market: Option<&'static str>,
    /// `STOCK`, `ETF` or `ETN`. Unconfirmed.
    pub instrument_type: Option<&'static str>,
    /// Name of the industry. Unconfirmed.
    pub industry: Option<String>,
    /// Listed shares. Unconfirmed.
    pub listed_shares: Option<i64>,
    /// First day of the listing. Unconfirmed.
    pub listed_on: Option<Date>,
    /// Whether it is listed. Unconfirmed.
    pub listing: Listing,
}

/// Whether an issue is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// On some market it began and has no end.
    Stands,
    /// On every market where it began it ends; this is the last end.
    Ends(Date),
    /// The answer does not say.
    Unknown,
}

impl KisClient {
    /// Returns the state of the listing of `symbol` (search-stock-info); none where the broker answers
    /// and says nothing of it: of another issue, or without any of the confirmed fields. Asking again
    /// would bring the same.
    ///
    /// # Errors
    /// As for every query.
    pub async fn stock_info(
        &self,
        symbol: Symbol,
        lane: Lane,
    ) -> Result<Option<StockInfo>, KisError> {
        let tr = Tr::StockInfo;
        let reply = self
            .query(&Request {
                tr,
                lane,
                fields: vec![
                    ("PRDT_TYPE_CD", PRODUCT_TYPE.to_owned()),
                    ("PDNO", symbol.to_string()),
                ],
                next_page: false,
            })
            .await?;
        let read = Row::one(tr.name(), &reply.body, "output").and_then(|row| read(row, symbol));
        Ok(read.inspect_err(|fault| self.report(fault)).ok())
    }
}

fn read(row: Row<'_>, symbol: Symbol) -> Result<StockInfo, Malformed> {
    let place = Tr::StockInfo.name();
    if let Some(told) = row.optional_text("pdno")
        && !told.ends_with(&symbol.to_string())
    {
        let reason = format!("pdno: {symbol} expected, was {told}");
        return Err(Malformed::new(place, reason));
    }
    let (is_stopped, is_managed) = (
        row.optional_flag("tr_stop_yn"),
        row.optional_flag("admn_item_yn"),
    );
    let (is_on_nxt, is_stopped_on_nxt) = (
        row.optional_flag("cptt_trad_tr_psbl_yn"),
        row.optional_flag("nxt_tr_stop_yn"),
    );
    if [is_stopped, is_managed, is_on_nxt, is_stopped_on_nxt] == [None; 4] {
        let reason = "tr_stop_yn, admn_item_yn or a flag of NXT expected, all were missing";
        return Err(Malformed::new(place, reason));
    }
    let listed_on = LISTINGS
        .iter()
        .filter_map(|(begin, _)| row.optional_date(begin).ok()?)
        .min();
    Ok(StockInfo {
        symbol,
        is_stopped,
        is_managed,
        is_on_nxt,
        is_stopped_on_nxt,
        name: row.optional_text("prdt_abrv_name").map(str::to_owned),
        market: match row.text("mket_id_cd") {
            "STK" => Some("KOSPI"),
            "KSQ" => Some("KOSDAQ"),
            "KNX" => Some("KONEX"),
            _ => None,
        },
        instrument_type: match row.text("scty_grp_id_cd") {
            "ST" => Some("STOCK"),
            "EF" => Some("ETF"),
            "EN" => Some("ETN"),
            _ => None,
        },
        industry: row
            .optional_text("std_idst_clsf_cd_name")
            .map(str::to_owned),
        listed_shares: row
            .optional_integer("lstg_stqt")
            .ok()
            .flatten()
            .filter(|shares| *shares > 0),
        listed_on,
        listing: listing(row).unwrap_or(Listing::Unknown),
    })
}

/// Returns whether the issue is listed. An issue that has moved from one market to another has an
/// end on the first.
fn listing(row: Row<'_>) -> Result<Listing, Malformed> {
    let mut last = None;
    for (begin, end) in LISTINGS {
        match (row.optional_date(begin)?, row.optional_date(end)?) {
            (Some(_), None) if row.has(end) => return Ok(Listing::Stands),
            (Some(_), Some(ended)) => last = last.max(Some(ended)),
            (Some(_), None) => return Ok(Listing::Unknown),
            (None, _) => {}
        }
    }
    Ok(last.map_or(Listing::Unknown, Listing::Ends))
}
