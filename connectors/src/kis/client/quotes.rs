//! Current price and daily bars (KIS Open API, 6.1 and 6.2).

use std::collections::BTreeMap;

use jiff::civil::Date;
use turnstile_dataflows::model::{Price, Quantity, Symbol};

use super::row::Row;
use super::{KisClient, Request, without_output};
use crate::kis::error::{KisError, Malformed};
use crate::kis::limiter::Lane;
use crate::kis::parse::signed_change;
use crate::kis::tr::Tr;

const BARS: &str = "inquire-daily-itemchartprice list";
const BAR: &str = "inquire-daily-itemchartprice row";
/// Most rows of one answer.
const BARS_PER_CALL: usize = 100;
/// Most calls for one request: 20 years of days.
const BAR_CALLS_MAX: usize = 60;

/// State of one issue at the Korea Exchange. The answer has no bid, ask or time of trade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceSnapshot {
    /// Microseconds since the Unix epoch at which the answer was read.
    pub received_us: u64,
    /// The issue.
    pub symbol: Symbol,
    /// Current price.
    pub last: Price,
    /// Reference price of the day, normally the previous close.
    pub reference: Option<Price>,
    /// Upper limit price of the day.
    pub upper_limit: Option<Price>,
    /// Lower limit price of the day.
    pub lower_limit: Option<Price>,
    /// Open, high and low of the day; `None` before the first trade.
    pub open: Option<Price>,
    /// See `open`.
    pub high: Option<Price>,
    /// See `open`.
    pub low: Option<Price>,
    /// Shares traded today.
    pub cumulative_volume: Quantity,
    /// Value traded today in whole KRW.
    pub cumulative_value_won: i64,
    /// Change against the previous close in 1/10000 KRW, signed.
    pub change_units: i64,
    /// Change against the previous close in 1/10000 percent, signed.
    pub change_rate_units: i64,
    /// Price step at the current price.
    pub tick: Option<Price>,
    /// Whether trading is stopped: by flag, or by status code 58.
    pub halted: bool,
    /// Status code, such as `51` for an administrative issue.
    pub status_code: String,
    /// Market warning code: `00` none, `01` caution, `02` warning, `03` risk.
    pub warning_code: String,
    /// Whether a volatility interruption is in force: any code but `N`.
    pub volatility_interruption: bool,
    /// Whether it is in liquidation trading before delisting.
    pub liquidation: bool,
}

/// How to treat splits and rights in daily bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceAdjustment {
    /// Adjusted prices.
    Adjusted,
    /// Prices as traded.
    Raw,
}

/// Daily bars, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyBars {
    /// One bar per trading day. Today's is the running one.
    pub bars: Vec<DailyBar>,
    /// Whether every call succeeded and every row could be read.
    pub complete: bool,
}

/// One day of one issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyBar {
    /// Day in Seoul.
    pub date: Date,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Shares traded.
    pub volume: Quantity,
    /// Value traded in whole KRW.
    pub value_won: i64,
}

impl Request {
    /// Returns the call inquire-price at the Korea Exchange.
    pub(super) fn price_of(symbol: Symbol, lane: Lane) -> Self {
        Self {
            tr: Tr::Price,
            lane,
            fields: vec![
                ("FID_COND_MRKT_DIV_CODE", "J".to_owned()),
                ("FID_INPUT_ISCD", symbol.to_string()),
            ],
            next_page: false,
        }
    }
}

impl KisClient {
    /// Returns the current price of `symbol` (inquire-price).
    ///
    /// # Errors
    /// As for every query.
    pub async fn price(&self, symbol: Symbol, lane: Lane) -> Result<PriceSnapshot, KisError> {
        let tr = Tr::Price;
        let reply = self.query(&Request::price_of(symbol, lane)).await?;
        let received_us = (self.inner.clock)();
        Row::one(tr.name(), &reply.body, "output")
            .and_then(|row| snapshot(row, symbol, received_us))
            .map_err(|fault| without_output(tr.name(), &fault))
    }

    /// Returns the daily bars of `symbol` from `from` to `until`, both inclusive
    /// (inquire-daily-itemchartprice). There are no page keys: the end date moves back.
    ///
    /// # Errors
    /// If the first call fails. If a later one does, `complete` is false.
    pub async fn daily_bars(
        &self,
        symbol: Symbol,
        from: Date,
        until: Date,
        adjustment: PriceAdjustment,
        lane: Lane,
    ) -> Result<DailyBars, KisError> {
        let mut bars = BTreeMap::new();
        let mut complete = true;
        let mut end = until;
        for call in 0..BAR_CALLS_MAX {
            let reply = match self.bars_until(symbol, from, end, adjustment, lane).await {
                Ok(reply) => reply,
                Err(error) if call == 0 => return Err(error),
                Err(error) => {
                    self.report(&Malformed::new(BARS, format!("{symbol}: {error}")));
                    complete = false;
                    break;
                }
            };
            let mut rows = 0;
            let mut oldest = None;
            for row in Row::all(BAR, &reply.body, "output2") {
                rows += 1;
                match bar(row) {
                    Ok(bar) => {
                        oldest = oldest.min(Some(bar.date)).or(Some(bar.date));
                        bars.insert(bar.date, bar);
                    }
                    Err(fault) => {
                        self.report(&fault);
                        complete = false;
                    }
                }
            }
            let next = oldest.and_then(|date| date.yesterday().ok());
            match next {
                Some(next) if rows >= BARS_PER_CALL && next >= from && next < end => end = next,
                _ => break,
            }
            complete &= call + 1 < BAR_CALLS_MAX;
        }
        Ok(DailyBars {
            bars: bars.into_values().collect(),
            complete,
        })
    }

    async fn bars_until(
        &self,
        symbol: Symbol,
        from: Date,
        end: Date,
        adjustment: PriceAdjustment,
        lane: Lane,
    ) -> Result<super::Reply, KisError> {
        self.query(&Request {
            tr: Tr::DailyBars,
            lane,
            fields: vec![
                ("FID_COND_MRKT_DIV_CODE", "J".to_owned()),
                ("FID_INPUT_ISCD", symbol.to_string()),
                ("FID_INPUT_DATE_1", from.strftime("%Y%m%d").to_string()),
                ("FID_INPUT_DATE_2", end.strftime("%Y%m%d").to_string()),
                ("FID_PERIOD_DIV_CODE", "D".to_owned()),
                (
                    "FID_ORG_ADJ_PRC",
                    match adjustment {
                        PriceAdjustment::Adjusted => "0".to_owned(),
                        PriceAdjustment::Raw => "1".to_owned(),
                    },
                ),
            ],
            next_page: false,
        })
        .await
    }
}

fn snapshot(row: Row<'_>, symbol: Symbol, received_us: u64) -> Result<PriceSnapshot, Malformed> {
    let change_rate_units = row.units("prdy_ctrt")?;
    let status_code = row.text("iscd_stat_cls_code");
    Ok(PriceSnapshot {
        received_us,
        symbol,
        last: row.needed_price("stck_prpr")?,
        reference: row.price("stck_sdpr")?,
        upper_limit: row.price("stck_mxpr")?,
        lower_limit: row.price("stck_llam")?,
        open: row.price("stck_oprc")?,
        high: row.price("stck_hgpr")?,
        low: row.price("stck_lwpr")?,
        cumulative_volume: row.quantity_or_zero("acml_vol")?,
        cumulative_value_won: row.units("acml_tr_pbmn")? / 10_000,
        change_units: signed_change(
            row.text("prdy_vrss_sign").as_bytes(),
            row.units("prdy_vrss")?,
            change_rate_units,
        ),
        change_rate_units,
        tick: row.price("aspr_unit")?,
        halted: row.flag("temp_stop_yn") || status_code == "58",
        status_code: status_code.to_owned(),
        warning_code: row.text("mrkt_warn_cls_code").to_owned(),
        volatility_interruption: !matches!(row.text("vi_cls_code"), "" | "N"),
        liquidation: row.flag("sltr_yn"),
    })
}

fn bar(row: Row<'_>) -> Result<DailyBar, Malformed> {
    Ok(DailyBar {
        date: row.date("stck_bsop_date")?,
        open: row.needed_price("stck_oprc")?,
        high: row.needed_price("stck_hgpr")?,
        low: row.needed_price("stck_lwpr")?,
        close: row.needed_price("stck_clpr")?,
        volume: row.quantity("acml_vol")?,
        value_won: row.units("acml_tr_pbmn")? / 10_000,
    })
}
