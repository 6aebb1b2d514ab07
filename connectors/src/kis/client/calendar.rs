//! Trading days (KIS Open API, 6.4). Production only: paper answers that it has no such operation.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::pages::{Page, PageKeys};
use super::row::Row;
use super::{KisClient, Request};
use crate::kis::error::{KisError, Malformed};
use crate::kis::limiter::Lane;
use crate::kis::tr::Tr;

const PLACE: &str = "chk-holiday row";

/// Days of the exchange's calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// One entry per day, in order.
    pub days: Vec<CalendarDay>,
    /// Whether every day from the first to the last asked for is there and could be read.
    pub complete: bool,
}

/// One day of the exchange's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalendarDay {
    /// Day in Seoul.
    pub date: Date,
    /// Whether the exchange is open: the one to use for orders.
    pub is_open: bool,
    /// Whether it counts as a trading day; `None` where the broker does not say.
    pub is_trading_day: Option<bool>,
    /// Whether banks and brokers work.
    pub is_business_day: Option<bool>,
    /// Whether trades of earlier days settle.
    pub is_settlement_day: Option<bool>,
}

impl KisClient {
    /// Returns the days from `from` to `until`, both inclusive. The broker asks to be asked at
    /// most once a day.
    ///
    /// # Errors
    /// If the first page does not come. If a later one does not, `complete` is false.
    pub async fn calendar(&self, from: Date, until: Date) -> Result<Calendar, KisError> {
        let request = Request {
            tr: Tr::Holidays,
            lane: Lane::Tier2,
            fields: vec![("BASS_DT", from.strftime("%Y%m%d").to_string())],
            next_page: false,
        };
        let keys = PageKeys {
            first: "CTX_AREA_FK",
            next: "CTX_AREA_NK",
        };
        let mut days = BTreeMap::new();
        let whole = self
            .pages(request, keys, |body| {
                let mut page = Page::Read;
                for row in Row::all(PLACE, body, "output") {
                    match read(row) {
                        Ok(day) => {
                            days.insert(day.date, day);
                        }
                        Err(fault) => {
                            self.report(&fault);
                            page = Page::Damaged;
                        }
                    }
                }
                match (page, days.last_key_value()) {
                    (Page::Read, Some((last, _))) if *last >= until => Page::Enough,
                    (page, _) => page,
                }
            })
            .await?;
        days.retain(|date, _| (from..=until).contains(date));
        let asked_for = from.series(1.day()).take_while(|date| *date <= until);
        Ok(Calendar {
            complete: whole && asked_for.eq(days.keys().copied()),
            days: days.into_values().collect(),
        })
    }
}

fn read(row: Row<'_>) -> Result<CalendarDay, Malformed> {
    Ok(CalendarDay {
        date: row.date("bass_dt")?,
        is_open: row.needed_flag("opnd_yn")?,
        is_trading_day: row.optional_flag("tr_day_yn"),
        is_business_day: row.optional_flag("bzdy_yn"),
        is_settlement_day: row.optional_flag("sttl_day_yn"),
    })
}
