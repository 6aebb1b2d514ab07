//! One traded issue: its reference data, the statistics of its day and its best quotes.
//!
//! Invariants, after every trade: cumulative volume grew by the volume of the trade, low ≤ last ≤
//! high, and every statistic is a function of the trades of the day.

mod record;

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use crate::{
    clock::Session,
    config::{CompanyConfig, Market, StockConfig},
    price::{Grid, Money, Price, ratio},
    symbol::Symbol,
};

/// One issue.
#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub(crate) symbol: Symbol,
    pub(crate) name: String,
    pub(crate) market: Market,
    pub(crate) prev_close: Price,
    pub(crate) prev_volume: i64,
    pub(crate) listed_shares: i64,
    pub(crate) company: CompanyConfig,
    pub(crate) day: Day,
    pub(crate) quotes: Quotes,
    pub(crate) is_halted: bool,
    pub(crate) listing: Listing,
    /// Lowest and highest order price of the day.
    pub(crate) band: (Price, Price),
}

/// What the exchange says of a listing, for as long as it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Listing {
    /// Trading is stopped until further notice.
    pub(crate) is_suspended: bool,
    /// An administrative issue.
    pub(crate) is_managed: bool,
    /// Last day of the listing, where it ends.
    pub(crate) delisted: Option<Date>,
}

/// Statistics of the day's trades. All zero before the first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Day {
    pub(crate) open: Price,
    pub(crate) high: Price,
    pub(crate) low: Price,
    pub(crate) last: Price,
    /// Time of the last trade.
    #[serde(default)]
    pub(crate) last_at: Option<DateTime>,
    /// Times of open, high and low as HHMMSS.
    pub(crate) open_at: u32,
    pub(crate) high_at: u32,
    pub(crate) low_at: u32,
    pub(crate) volume: i64,
    pub(crate) value: Money,
    pub(crate) sells: i64,
    pub(crate) buys: i64,
    pub(crate) sell_volume: i64,
    pub(crate) buy_volume: i64,
}

/// Best quotes. Zero stands for "not known".
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Quotes {
    pub(crate) ask: Price,
    pub(crate) bid: Price,
    pub(crate) ask_quantity: i64,
    pub(crate) bid_quantity: i64,
    pub(crate) ask_total: i64,
    pub(crate) bid_total: i64,
}

/// Side that took the other's quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggressor {
    Buy,
    Sell,
}

/// One trade of the price path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trade {
    pub(crate) price: Price,
    pub(crate) volume: i64,
    /// Absent: by the direction of the price.
    pub(crate) aggressor: Option<Aggressor>,
    /// Quotes after the trade.
    pub(crate) quotes: QuoteRule,
}

/// Where the quotes after a trade come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum QuoteRule {
    /// One tick apart around the price, with these quantities.
    Grid {
        ask_quantity: i64,
        bid_quantity: i64,
    },
    /// None: the path has no quotes.
    Unknown,
}

/// Time and phase that a record carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) at: DateTime,
    pub(crate) session: Session,
}

impl Issue {
    pub(crate) fn new(config: &StockConfig) -> Self {
        let mut issue = Self {
            symbol: config.symbol.clone(),
            name: config.name.clone(),
            market: config.market,
            prev_close: config.prev_close,
            prev_volume: config.prev_volume,
            listed_shares: config.listed_shares,
            company: config.company.clone(),
            day: Day::default(),
            quotes: Quotes::default(),
            is_halted: false,
            listing: Listing::default(),
            band: (Price::NONE, Price::NONE),
        };
        issue.band = issue.grid().band(issue.prev_close);
        issue
    }

    pub(crate) const fn grid(&self) -> Grid {
        self.market.grid()
    }

    /// Returns whether nothing trades now.
    pub(crate) const fn is_stopped(&self) -> bool {
        self.is_halted || self.listing.is_suspended
    }

    /// Returns the last price, or the previous close before the first trade.
    pub(crate) const fn last(&self) -> Price {
        if self.day.last.is_some() {
            self.day.last
        } else {
            self.prev_close
        }
    }

    /// Returns what a buyer pays at once.
    pub(crate) const fn ask(&self) -> Price {
        if self.quotes.ask.is_some() {
            self.quotes.ask
        } else {
            self.last()
        }
    }

    /// Returns what a seller gets at once.
    pub(crate) const fn bid(&self) -> Price {
        if self.quotes.bid.is_some() {
            self.quotes.bid
        } else {
            self.last()
        }
    }

    /// Takes a trade into the statistics of the day and returns the side that took.
    pub(crate) fn trade(&mut self, trade: &Trade, at: DateTime) -> Aggressor {
        let before = self.last();
        let Trade { price, volume, .. } = *trade;
        let aggressor = trade.aggressor.unwrap_or(if price < before {
            Aggressor::Sell
        } else {
            Aggressor::Buy
        });
        let clock = hhmmss(at);
        let day = &mut self.day;
        if !day.open.is_some() {
            (day.open, day.open_at) = (price, clock);
        }
        if price > day.high {
            (day.high, day.high_at) = (price, clock);
        }
        if !day.low.is_some() || price < day.low {
            (day.low, day.low_at) = (price, clock);
        }
        day.last = price;
        day.last_at = Some(at);
        day.volume += volume;
        day.value += price.times(volume);
        match aggressor {
            Aggressor::Buy => {
                day.buys += 1;
                day.buy_volume += volume;
            }
            Aggressor::Sell => {
                day.sells += 1;
                day.sell_volume += volume;
            }
        }
        self.quotes = self.quotes_after(trade, aggressor);
        aggressor
    }

    fn quotes_after(&self, trade: &Trade, aggressor: Aggressor) -> Quotes {
        let QuoteRule::Grid {
            ask_quantity,
            bid_quantity,
        } = trade.quotes
        else {
            return Quotes::default();
        };
        let grid = self.grid();
        let (ask, bid) = match aggressor {
            Aggressor::Buy => {
                let ask = grid.ceil(trade.price);
                (ask, grid.down(ask))
            }
            Aggressor::Sell => {
                let bid = grid.floor(trade.price);
                (grid.up(bid), bid)
            }
        };
        Quotes {
            ask,
            bid,
            ask_quantity,
            bid_quantity,
            ask_total: ask_quantity.saturating_mul(20),
            bid_total: bid_quantity.saturating_mul(20),
        }
    }

    /// Closes the day: the last price becomes the reference of the next.
    pub(crate) fn start_day(&mut self) {
        self.prev_close = self.last();
        if self.day.volume > 0 {
            self.prev_volume = self.day.volume;
        }
        self.day = Day::default();
        self.quotes = Quotes::default();
        self.is_halted = false;
        self.band = self.grid().band(self.prev_close);
    }

    /// Sign code of `price` against the previous close: 1 upper limit, 2 up, 3 flat, 4 lower limit,
    /// 5 down (KIS Open API, PRDY_VRSS_SIGN).
    pub(crate) fn sign(&self, price: Price) -> &'static str {
        if price == self.prev_close {
            "3"
        } else if price > self.prev_close {
            if price >= self.band.1 { "1" } else { "2" }
        } else if price <= self.band.0 {
            "4"
        } else {
            "5"
        }
    }

    /// Returns the change of `price` against the previous close, signed.
    pub(crate) fn change(&self, price: Price) -> Money {
        price.times(1) - self.prev_close.times(1)
    }

    /// Returns [`Self::change`] in percent with two decimals.
    pub(crate) fn change_pct(&self, price: Price) -> String {
        let base = i128::from(self.prev_close.units());
        ratio(self.change(price).units() * 100, base, 2)
    }

    /// Returns the average price of the day weighted by volume, two decimals.
    pub(crate) fn average(&self) -> String {
        ratio(
            self.day.value.units(),
            i128::from(self.day.volume) * 10_000,
            2,
        )
    }

    /// Returns the day's volume as a percentage of `base`, two decimals.
    pub(crate) fn volume_pct(&self, base: i64) -> String {
        ratio(i128::from(self.day.volume) * 100, i128::from(base), 2)
    }
}

/// Returns a time of day as the number HHMMSS.
pub(crate) fn hhmmss(at: DateTime) -> u32 {
    let number =
        i32::from(at.hour()) * 10_000 + i32::from(at.minute()) * 100 + i32::from(at.second());
    u32::try_from(number).unwrap_or(0)
}

/// Returns a date as the number YYYYMMDD.
pub(crate) fn yyyymmdd(day: jiff::civil::Date) -> u32 {
    let number =
        i32::from(day.year()) * 10_000 + i32::from(day.month()) * 100 + i32::from(day.day());
    u32::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn statistics_are_those_of_the_trades(
            trades in prop::collection::vec((1_i64..400, 1_i64..1000), 1..40),
        ) {
            let mut issue = Issue::new(&crate::SimConfig::default().stocks[0]);
            let at = date(2026, 11, 16).at(9, 0, 0, 0);
            for (ticks, volume) in &trades {
                let price = Price::from_won(150_000 + ticks * 100);
                let quotes = QuoteRule::Grid { ask_quantity: 1, bid_quantity: 1 };
                issue.trade(&Trade { price, volume: *volume, aggressor: None, quotes }, at);
                prop_assert!(issue.bid() <= price && price <= issue.ask());
                prop_assert!(issue.grid().holds(issue.bid()) && issue.grid().holds(issue.ask()));
            }
            let prices = || trades.iter().map(|(ticks, _)| Price::from_won(150_000 + ticks * 100));
            let day = &issue.day;
            prop_assert_eq!(Some(day.high), prices().max());
            prop_assert_eq!(Some(day.low), prices().min());
            prop_assert_eq!(Some(day.last), prices().next_back());
            prop_assert_eq!(Some(day.open), prices().next());
            prop_assert_eq!(day.volume, trades.iter().map(|(_, volume)| volume).sum::<i64>());
            prop_assert_eq!(day.volume, day.buy_volume + day.sell_volume);
        }
    }
}
