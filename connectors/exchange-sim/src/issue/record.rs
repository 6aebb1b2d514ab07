//! Trade records of the stream H0STCNT0 (KIS Open API): 47 fields since 2026-09-14, 46 before.

use std::fmt::Write;

use super::{Aggressor, Issue, Stamp, Trade, hhmmss, yyyymmdd};
use crate::price::{Price, ratio};

impl Issue {
    /// Appends the record of `trade`, which this issue has already taken in, to `out`.
    ///
    /// `width` is 46 or 47. The volume of the previous day at the same time is that day's volume
    /// spread evenly over the regular session.
    pub(crate) fn write_record(
        &self,
        out: &mut String,
        trade: &Trade,
        aggressor: Aggressor,
        stamp: Stamp,
        width: usize,
    ) {
        let prev_volume_then = prev_volume_at(self.prev_volume, hhmmss(stamp.at));
        self.write_fields(out, trade, aggressor, stamp, prev_volume_then)
            .expect("writing to a string does not fail");
        if width == 47 {
            out.push('^');
            out.push_str(stamp.session.market_class());
        }
    }

    /// Fields 0 to 45.
    fn write_fields(
        &self,
        out: &mut String,
        trade: &Trade,
        aggressor: Aggressor,
        stamp: Stamp,
        prev_volume_then: i64,
    ) -> std::fmt::Result {
        let (day, quotes, price) = (&self.day, &self.quotes, trade.price);
        write!(
            out,
            "{}^{:06}^{price}^{}^{}^{}^{}^{}^{}^{}^{}^{}^{}^{}^{}^{}^{}^{}^{}^{}^{}^{}^{}^{}",
            self.symbol,
            hhmmss(stamp.at),
            self.sign(price),
            self.change(price),
            self.change_pct(price),
            self.average(),
            day.open,
            day.high,
            day.low,
            quotes.ask,
            quotes.bid,
            trade.volume,
            day.volume,
            won(day),
            day.sells,
            day.buys,
            day.buys - day.sells,
            ratio(
                i128::from(day.buy_volume) * 100,
                i128::from(day.sell_volume),
                2
            ),
            day.sell_volume,
            day.buy_volume,
            match aggressor {
                Aggressor::Buy => "1",
                Aggressor::Sell => "5",
            },
            ratio(i128::from(day.buy_volume), i128::from(day.volume), 2),
            self.volume_pct(self.prev_volume),
        )?;
        for (at, extreme) in [
            (day.open_at, day.open),
            (day.high_at, day.high),
            (day.low_at, day.low),
        ] {
            let change = price.times(1) - extreme.times(1);
            write!(out, "^{at:06}^{}^{change}", plain_sign(price, extreme))?;
        }
        write!(
            out,
            "^{:08}^{}^{}^{}^{}^{}^{}^{}^{prev_volume_then}^{}^0^^{}",
            yyyymmdd(stamp.at.date()),
            stamp.session.phase(),
            if self.is_stopped() { "Y" } else { "N" },
            quotes.ask_quantity,
            quotes.bid_quantity,
            quotes.ask_total,
            quotes.bid_total,
            self.volume_pct(self.listed_shares),
            self.volume_pct(prev_volume_then),
            day.open,
        )
    }
}

/// Returns the day's traded value in whole KRW, or exactly where prices have decimals.
fn won(day: &super::Day) -> String {
    day.value.to_string()
}

/// Sign code of `price` against another price of the day; limits are not marked.
fn plain_sign(price: Price, other: Price) -> &'static str {
    match price.cmp(&other) {
        std::cmp::Ordering::Greater => "2",
        std::cmp::Ordering::Equal => "3",
        std::cmp::Ordering::Less => "5",
    }
}

/// Seconds of the day at which the regular session starts, and its length.
const OPEN_S: i64 = 9 * 3600;
const SESSION_S: i64 = 6 * 3600 + 1800;

fn prev_volume_at(prev_volume: i64, hhmmss: u32) -> i64 {
    let clock = i64::from(hhmmss);
    let second = clock / 10_000 * 3600 + clock / 100 % 100 * 60 + clock % 100;
    let gone = (second - OPEN_S).clamp(1, SESSION_S);
    prev_volume.saturating_mul(gone) / SESSION_S
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{
        clock::Session,
        issue::{Day, QuoteRule, Quotes},
        price::Money,
    };

    /// State behind the first frame of the samples, before its last trade.
    fn issue() -> Issue {
        let mut issue = Issue::new(&crate::SimConfig::default().stocks[0]);
        issue.listed_shares = 5_919_637_922;
        issue.day = Day {
            open: Price::from_won(190_500),
            high: Price::from_won(191_800),
            low: Price::from_won(189_900),
            last: Price::from_won(191_200),
            last_at: None,
            open_at: 90_012,
            high_at: 91_833,
            low_at: 90_127,
            volume: 4_812_377,
            value: Money::from_units(918_417_920_400 * 10_000),
            sells: 20_145,
            buys: 22_318,
            sell_volume: 2_201_944,
            buy_volume: 2_387_351,
        };
        issue.quotes = Quotes {
            ask: Price::from_won(191_200),
            bid: Price::from_won(191_100),
            ask_quantity: 18_342,
            bid_quantity: 22_107,
            ask_total: 412_885,
            bid_total: 398_114,
        };
        issue
    }

    fn trade() -> Trade {
        Trade {
            price: Price::from_won(191_200),
            volume: 25,
            aggressor: Some(Aggressor::Buy),
            quotes: QuoteRule::Unknown,
        }
    }

    fn stamp() -> Stamp {
        Stamp {
            at: date(2026, 11, 16).at(9, 33, 54, 0),
            session: Session::Regular,
        }
    }

    fn sample(line: usize) -> &'static str {
        include_str!("../../test_data/h0stcnt0-frames.txt")
            .lines()
            .filter(|line| line.starts_with('0'))
            .nth(line)
            .unwrap()
            .splitn(4, '|')
            .nth(3)
            .unwrap()
    }

    #[test]
    fn record_of_the_sample_is_met_to_the_byte() {
        let mut out = String::new();
        issue()
            .write_fields(&mut out, &trade(), Aggressor::Buy, stamp(), 5_120_334)
            .unwrap();
        assert_eq!(format!("{out}^2"), sample(0));
    }

    #[test]
    fn old_layout_is_one_field_shorter() {
        let mut out = String::new();
        issue().write_record(&mut out, &trade(), Aggressor::Buy, stamp(), 46);
        assert_eq!(out.split('^').count(), sample(1).split('^').count());
        let mut out = String::new();
        issue().write_record(&mut out, &trade(), Aggressor::Buy, stamp(), 47);
        assert_eq!(out.split('^').count(), sample(0).split('^').count());
    }

    #[test]
    fn decline_below_the_previous_close_has_sign_and_minus() {
        let mut issue = issue();
        issue.day.low = Price::from_won(189_900);
        let down = Trade {
            price: Price::from_won(189_900),
            ..trade()
        };
        let mut out = String::new();
        issue.write_record(&mut out, &down, Aggressor::Sell, stamp(), 47);
        let fields: Vec<_> = out.split('^').collect();
        assert_eq!(fields[3..6], ["5", "-200", "-0.11"]);
        assert_eq!(fields[30..33], ["090127", "3", "0"]);
    }

    #[test]
    fn previous_volume_is_spread_over_the_session() {
        assert_eq!(prev_volume_at(23_400, 90_000), 1);
        assert_eq!(prev_volume_at(23_400, 153_000), 23_400);
        assert_eq!(prev_volume_at(23_400, 121_500), 11_700);
    }
}
