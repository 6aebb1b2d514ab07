//! What came of a source, as a row of `market.prices`.

use rust_decimal::Decimal;
use turnstile_connectors::kis::{HourClass, MarketClass, Trade};
use turnstile_connectors::postgres::PriceRow;
use turnstile_dataflows::model::LogicalTime;
use turnstile_dataflows::price::{self, Source};

use super::quotes::Quote;

/// Returns whether the record is a trade rather than an expected price of an auction.
pub(super) fn is_trade(trade: &Trade) -> bool {
    match trade.hour_class {
        HourClass::ExpectedAfterClose
        | HourClass::ExpectedBeforeOpen
        | HourClass::ExpectedInSession => false,
        HourClass::InSession | HourClass::AfterHoursSinglePrice | HourClass::Other(_) => true,
    }
}

pub(super) fn price_row(trade: &Trade, time: LogicalTime) -> PriceRow {
    PriceRow {
        logical_us: time.micros(),
        symbol: trade.symbol,
        exchange_us: trade.exchange_us().unwrap_or(trade.received_us),
        received_us: trade.received_us,
        source: Source::KisWs.name(),
        last: trade.last,
        bid: trade.bid,
        ask: trade.ask,
        volume: trade.volume.shares(),
        day_volume: Some(trade.cumulative_volume.shares()),
        day_value: Some(Decimal::from(trade.cumulative_value_won)),
        change: Some(Decimal::new(trade.change_units, 4)),
        change_rate: Some(Decimal::new(trade.change_rate_units, 4)),
        bid_volume: Some(trade.bid_quantity.shares()),
        ask_volume: Some(trade.ask_quantity.shares()),
        session: session(trade),
    }
}

/// A price that was asked for.
pub(super) fn quote_row(quote: &Quote, time: LogicalTime) -> PriceRow {
    PriceRow {
        day_volume: Some(quote.day_volume),
        day_value: Some(Decimal::from(quote.day_value_won)),
        change: Some(Decimal::new(quote.change_units, 4)),
        change_rate: Some(Decimal::new(quote.change_rate_units, 4)),
        ..settled_row(&quote.priced(), time)
    }
}

/// A price that was received before and counts from now on.
pub(super) fn settled_row(quote: &price::Quote, time: LogicalTime) -> PriceRow {
    PriceRow {
        logical_us: time.micros(),
        symbol: quote.symbol,
        exchange_us: quote.received.micros(),
        received_us: quote.received.micros(),
        source: quote.source.name(),
        last: quote.last,
        bid: None,
        ask: None,
        volume: 0,
        day_volume: None,
        day_value: None,
        change: None,
        change_rate: None,
        bid_volume: None,
        ask_volume: None,
        session: "REGULAR",
    }
}

fn session(trade: &Trade) -> &'static str {
    if !is_trade(trade) {
        return "EXPECTED";
    }
    match trade.market_class {
        Some(MarketClass::PreMarket) => "PRE_MARKET",
        Some(MarketClass::AfterMarket) => "AFTER_MARKET",
        Some(MarketClass::Close) => "CLOSE",
        Some(MarketClass::Regular) => "REGULAR",
        Some(MarketClass::Other(_)) | None => "UNKNOWN",
    }
}
