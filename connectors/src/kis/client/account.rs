//! Holdings, cash and buying power (KIS Open API, 5.5 and 5.6).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use turnstile_dataflows::model::{Price, Quantity, Symbol};

use super::pages::{ACCOUNT_KEYS, Page};
use super::row::Row;
use super::{KisClient, Request, report, without_output};
use crate::kis::error::{KisError, Malformed};
use crate::kis::limiter::Lane;
use crate::kis::order::OrderPrice;
use crate::kis::tr::Tr;

const PLACE: &str = "inquire-balance row";

/// What the account holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Holdings with shares, by symbol. Sold-out symbols, which the broker keeps for two days with
    /// quantity zero, are left out.
    pub holdings: Vec<Holding>,
    /// Cash and totals, where the broker sent them.
    pub summary: Option<AccountSummary>,
    /// Whether every page came and every row could be read. Absence proves something only then.
    pub complete: bool,
}

/// One issue held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The issue.
    pub symbol: Symbol,
    /// Its name.
    pub name: String,
    /// Shares held.
    pub quantity: Quantity,
    /// Shares that may be sold now.
    pub sellable: Quantity,
    /// Average purchase price in KRW as the broker states it, 4 decimals.
    pub average_price: Decimal,
    /// Purchase amount in whole KRW, fees included: divided by the shares it is the average cost
    /// that the broker's desktop shows.
    pub purchase_won: i64,
    /// Current price. Does not follow the after-market.
    pub last: Option<Price>,
    /// Valuation in whole KRW.
    pub valuation_won: i64,
    /// Unrealised profit in whole KRW, signed.
    pub profit_won: i64,
    /// Shares bought today.
    pub bought_today: Quantity,
    /// Shares sold today.
    pub sold_today: Quantity,
}

/// Cash and totals of the account, in whole KRW.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSummary {
    /// Deposit today (D).
    pub deposit_won: i64,
    /// Deposit at D+1.
    pub deposit_d1_won: i64,
    /// Deposit at D+2: what remains when today's trades have settled.
    pub deposit_d2_won: i64,
    /// Securities and deposit at D+2.
    pub total_won: i64,
    /// Net assets.
    pub net_assets_won: i64,
    /// Total of the previous day.
    pub previous_total_won: i64,
    /// Purchase amounts, sum.
    pub purchases_won: i64,
    /// Valuations, sum.
    pub valuations_won: i64,
    /// Unrealised profit, sum, signed.
    pub profit_won: i64,
}

/// What may be bought of one issue without margin credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuyingPower {
    /// Cash that may be used, whole KRW.
    pub cash_won: i64,
    /// Amount that may be bought, whole KRW.
    pub amount_won: i64,
    /// Shares that may be bought at the price asked for.
    pub quantity: Quantity,
}

impl KisClient {
    /// Returns holdings and cash, all pages (inquire-balance).
    ///
    /// # Errors
    /// If the first page does not come. If a later one does not, `complete` is false.
    pub async fn balance(&self) -> Result<Balance, KisError> {
        let mut fields = self.account_fields();
        fields.extend(
            [
                ("AFHR_FLPR_YN", "N"), // Regular price of the Korea Exchange.
                ("OFL_YN", ""),
                ("INQR_DVSN", "02"), // One row per symbol.
                ("UNPR_DVSN", "01"),
                ("FUND_STTL_ICLD_YN", "N"),
                ("FNCG_AMT_AUTO_RDPT_YN", "N"),
                ("PRCS_DVSN", "00"),
            ]
            .map(|(key, value)| (key, value.to_owned())),
        );
        let request = Request {
            tr: Tr::Balance,
            lane: Lane::Query,
            fields,
            next_page: false,
        };
        let mut holdings = BTreeMap::new();
        let mut summary = None;
        let complete = self
            .pages(request, ACCOUNT_KEYS, |body| {
                let mut page = Page::Read;
                for row in Row::all(PLACE, body, "output1") {
                    match holding(row) {
                        Ok(holding) => {
                            holdings.insert(holding.symbol, holding);
                        }
                        Err(fault) => {
                            report(&fault);
                            page = Page::Damaged;
                        }
                    }
                }
                if let Some(row) = Row::all(PLACE, body, "output2").next() {
                    match totals(row) {
                        Ok(totals) => summary = Some(totals),
                        Err(fault) => report(&fault),
                    }
                }
                page
            })
            .await?;
        Ok(Balance {
            holdings: holdings
                .into_values()
                .filter(|holding: &Holding| !holding.quantity.is_zero())
                .collect(),
            summary,
            complete,
        })
    }

    /// Returns what may be bought of `symbol` at `price` (inquire-psbl-order).
    ///
    /// # Errors
    /// As for every query.
    pub async fn buying_power(
        &self,
        symbol: Symbol,
        price: OrderPrice,
    ) -> Result<BuyingPower, KisError> {
        let mut fields = self.account_fields();
        fields.extend([
            ("PDNO", symbol.to_string()),
            ("ORD_UNPR", price.field()),
            ("ORD_DVSN", price.code().to_owned()),
            ("CMA_EVLU_AMT_ICLD_YN", "N".to_owned()),
            ("OVRS_ICLD_YN", "N".to_owned()),
        ]);
        let tr = Tr::BuyingPower;
        let reply = self
            .query(Request {
                tr,
                lane: Lane::Query,
                fields,
                next_page: false,
            })
            .await?;
        Row::one(tr.name(), &reply.body, "output")
            .and_then(|row| {
                Ok(BuyingPower {
                    cash_won: row.won("ord_psbl_cash")?,
                    amount_won: row.won("nrcvb_buy_amt")?,
                    quantity: row.quantity("nrcvb_buy_qty")?,
                })
            })
            .map_err(|fault| without_output(tr.name(), &fault))
    }
}

fn holding(row: Row<'_>) -> Result<Holding, Malformed> {
    Ok(Holding {
        symbol: row.symbol("pdno")?,
        name: row.text("prdt_name").to_owned(),
        quantity: row.quantity("hldg_qty")?,
        sellable: row.quantity("ord_psbl_qty")?,
        average_price: row.decimal("pchs_avg_pric")?,
        purchase_won: row.won("pchs_amt")?,
        last: row.price("prpr")?,
        valuation_won: row.units("evlu_amt")? / 10_000,
        profit_won: row.units("evlu_pfls_amt")? / 10_000,
        bought_today: row.quantity_or_zero("thdt_buyqty")?,
        sold_today: row.quantity_or_zero("thdt_sll_qty")?,
    })
}

fn totals(row: Row<'_>) -> Result<AccountSummary, Malformed> {
    Ok(AccountSummary {
        deposit_won: row.won("dnca_tot_amt")?,
        deposit_d1_won: row.won("nxdy_excc_amt")?,
        deposit_d2_won: row.won("prvs_rcdl_excc_amt")?,
        total_won: row.won("tot_evlu_amt")?,
        net_assets_won: row.won("nass_amt")?,
        previous_total_won: row.units("bfdy_tot_asst_evlu_amt")? / 10_000,
        purchases_won: row.units("pchs_amt_smtl_amt")? / 10_000,
        valuations_won: row.units("evlu_amt_smtl_amt")? / 10_000,
        profit_won: row.units("evlu_pfls_smtl_amt")? / 10_000,
    })
}
