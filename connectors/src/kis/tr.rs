//! Operations and streams of the broker with their TR ids: the one table of them.
//!
//! Source: KIS Open API, sections 4 to 6. The old order ids (`TTTC08..U`) may be switched off
//! without notice and are not used.

use super::config::Environment;

/// An operation over REST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tr {
    Sell,
    Buy,
    ReviseCancel,
    DailyOrders,
    Balance,
    BuyingPower,
    Price,
    DailyBars,
    Holidays,
    StockInfo,
}

impl Tr {
    /// Returns the id of the operation in `environment`.
    pub(super) fn id(self, environment: Environment) -> &'static str {
        let (production, paper) = match self {
            Self::Sell => ("TTTC0011U", "VTTC0011U"),
            Self::Buy => ("TTTC0012U", "VTTC0012U"),
            Self::ReviseCancel => ("TTTC0013U", "VTTC0013U"),
            Self::DailyOrders => ("TTTC0081R", "VTTC0081R"),
            Self::Balance => ("TTTC8434R", "VTTC8434R"),
            Self::BuyingPower => ("TTTC8908R", "VTTC8908R"),
            Self::Price => ("FHKST01010100", "FHKST01010100"),
            Self::DailyBars => ("FHKST03010100", "FHKST03010100"),
            // Paper does not offer it and has no id: the broker answers EGW00213 there.
            Self::Holidays => ("CTCA0903R", "CTCA0903R"),
            Self::StockInfo => ("CTPF1002R", "CTPF1002R"),
        };
        match environment {
            Environment::Production => production,
            Environment::Paper => paper,
        }
    }

    /// Returns the path of the operation.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Sell | Self::Buy => "/uapi/domestic-stock/v1/trading/order-cash",
            Self::ReviseCancel => "/uapi/domestic-stock/v1/trading/order-rvsecncl",
            Self::DailyOrders => "/uapi/domestic-stock/v1/trading/inquire-daily-ccld",
            Self::Balance => "/uapi/domestic-stock/v1/trading/inquire-balance",
            Self::BuyingPower => "/uapi/domestic-stock/v1/trading/inquire-psbl-order",
            Self::Price => "/uapi/domestic-stock/v1/quotations/inquire-price",
            Self::DailyBars => "/uapi/domestic-stock/v1/quotations/inquire-daily-itemchartprice",
            Self::Holidays => "/uapi/domestic-stock/v1/quotations/chk-holiday",
            Self::StockInfo => "/uapi/domestic-stock/v1/quotations/search-stock-info",
        }
    }

    /// Returns the operation's name in errors, logs and metrics: the last part of its path.
    pub(super) fn name(self) -> &'static str {
        match self.path().rsplit_once('/') {
            Some((_, name)) => name,
            None => self.path(),
        }
    }

    /// Returns whether the operation sends an order: then a lost answer is an unknown outcome.
    pub(super) fn is_order(self) -> bool {
        matches!(self, Self::Sell | Self::Buy | Self::ReviseCancel)
    }
}

/// TR id of the trade stream, the same in both environments.
pub(super) const TRADES: &str = "H0STCNT0";

/// Returns the TR id of the execution notices in `environment`.
pub(super) fn notices(environment: Environment) -> &'static str {
    match environment {
        Environment::Production => "H0STCNI0",
        Environment::Paper => "H0STCNI9",
    }
}
