//! Orders and their cumulative fills of the last three months (KIS Open API, 5.4).

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use rust_decimal::Decimal;
use turnstile_dataflows::model::{Price, Quantity, Symbol};

use super::pages::{ACCOUNT_KEYS, Page};
use super::row::Row;
use super::{KisClient, Request, report};
use crate::kis::error::{KisError, Malformed};
use crate::kis::limiter::Lane;
use crate::kis::order::{OrderNumber, OrderRef, Side};
use crate::kis::tr::Tr;

const PLACE: &str = "inquire-daily-ccld row";

/// Which orders to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyOrdersFilter {
    /// First day in Seoul, inclusive; not older than three months.
    pub from: Date,
    /// Last day in Seoul, inclusive.
    pub until: Date,
    /// Only this issue.
    pub symbol: Option<Symbol>,
    /// Only this side.
    pub side: Option<Side>,
}

/// The broker's list of orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyOrders {
    /// One entry per order, by day, branch and number.
    pub orders: Vec<DailyOrder>,
    /// Whether every page came and every row could be read. Absence proves something only then.
    pub complete: bool,
}

/// One order of a day as the broker sees it now. May lag during the day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DailyOrder {
    /// Day in Seoul.
    pub date: Date,
    /// Branch and number: what a cancel or replace needs.
    pub order: OrderRef,
    /// The order that this cancel or replace is about.
    pub original: Option<OrderNumber>,
    /// Buy or sell.
    pub side: Side,
    /// The issue.
    pub symbol: Symbol,
    /// Shares ordered.
    pub quantity: Quantity,
    /// Price ordered, `None` at market.
    pub price: Option<Price>,
    /// Type code (ORD_DVSN), such as `00` for limit.
    pub order_type: String,
    /// Time of the order in Seoul.
    pub time: Option<Time>,
    /// Shares filled so far: cumulative, the truth about fills.
    pub filled: Quantity,
    /// Average price of the fills in KRW, zero without fills.
    pub average_price: Decimal,
    /// Value of the fills in whole KRW.
    pub filled_won: i64,
    /// Shares whose cancel is confirmed.
    pub cancelled: Quantity,
    /// Shares still in the book.
    pub remaining: Quantity,
    /// Shares rejected.
    pub rejected: Quantity,
    /// Whether this entry is a cancel.
    pub is_cancel: bool,
}

impl KisClient {
    /// Returns the orders of `filter` with their cumulative fills, all pages.
    ///
    /// # Errors
    /// If the first page does not come. If a later one does not, `complete` is false.
    pub async fn daily_orders(&self, filter: &DailyOrdersFilter) -> Result<DailyOrders, KisError> {
        let mut fields = self.account_fields();
        fields.extend([
            ("INQR_STRT_DT", filter.from.strftime("%Y%m%d").to_string()),
            ("INQR_END_DT", filter.until.strftime("%Y%m%d").to_string()),
            (
                "SLL_BUY_DVSN_CD",
                filter.side.map_or("00", Side::code).to_owned(),
            ),
            ("PDNO", filter.symbol.map(String::from).unwrap_or_default()),
            ("ORD_GNO_BRNO", String::new()),
            ("ODNO", String::new()),
            ("CCLD_DVSN", "00".to_owned()),
            // Oldest first: an order that arrives while we read is appended, so no page shifts.
            ("INQR_DVSN", "01".to_owned()),
            ("INQR_DVSN_1", String::new()),
            ("INQR_DVSN_3", "00".to_owned()),
            ("EXCG_ID_DVSN_CD", "KRX".to_owned()),
        ]);
        let request = Request {
            tr: Tr::DailyOrders,
            lane: Lane::Query,
            fields,
            next_page: false,
        };
        let mut orders = BTreeMap::new();
        let complete = self
            .pages(request, ACCOUNT_KEYS, |body| {
                let mut page = Page::Read;
                for row in Row::all(PLACE, body, "output1") {
                    match read(row) {
                        Ok(order) => {
                            let OrderRef { branch, number } = order.order.clone();
                            orders.insert((order.date, branch, number), order);
                        }
                        Err(fault) => {
                            report(&fault);
                            page = Page::Damaged;
                        }
                    }
                }
                page
            })
            .await?;
        Ok(DailyOrders {
            orders: orders.into_values().collect(),
            complete,
        })
    }
}

fn read(row: Row<'_>) -> Result<DailyOrder, Malformed> {
    // One official column map spells the confirmed cancels without an l.
    let cancelled = match row.text("cncl_cfrm_qty") {
        "" => row.quantity_or_zero("cnc_cfrm_qty")?,
        _ => row.quantity_or_zero("cncl_cfrm_qty")?,
    };
    Ok(DailyOrder {
        date: row.date("ord_dt")?,
        order: OrderRef {
            branch: row.text("ord_gno_brno").to_owned(),
            number: row.order_number("odno")?,
        },
        original: row.optional_order_number("orgn_odno")?,
        side: row.side("sll_buy_dvsn_cd")?,
        symbol: row.symbol("pdno")?,
        quantity: row.quantity("ord_qty")?,
        price: row.price("ord_unpr")?,
        order_type: row.text("ord_dvsn_cd").to_owned(),
        time: row.time("ord_tmd")?,
        filled: row.quantity("tot_ccld_qty")?,
        average_price: row.decimal("avg_prvs")?,
        filled_won: row.units("tot_ccld_amt")? / 10_000,
        cancelled,
        remaining: row.quantity_or_zero("rmn_qty")?,
        rejected: row.quantity_or_zero("rjct_qty")?,
        is_cancel: row.flag("cncl_yn"),
    })
}
