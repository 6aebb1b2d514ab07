//! Average true range: how far an issue usually moves in a day.

use rust_decimal::{Decimal, RoundingStrategy};

/// Days of the average (decision contract, section 3; domain 3.4: ATR(14)).
pub const ATR_DAYS: usize = 14;
/// Decimals of ATR over close (decision contract, 2.5).
const RATIO_PLACES: u32 = 6;

/// What a day tells of the range of an issue. KRW.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayRange {
    /// Highest price.
    pub high: Decimal,
    /// Lowest price.
    pub low: Decimal,
    /// Last price, above zero.
    pub close: Decimal,
}

impl DayRange {
    /// Returns the true range after a close of `before`: the widest of the day's own range and the
    /// distances of high and low from that close.
    fn true_range(&self, before: Decimal) -> Decimal {
        self.high.max(before) - self.low.min(before)
    }
}

/// Returns ATR(14) by Wilder over the last close, as a ratio with six decimals, half to even: the
/// mean of the first fourteen true ranges, then `(13 × ATR + range) ÷ 14` for each further day.
/// `days` rise in time and had trades. None for fewer than fifteen days, the first giving only its
/// close.
pub fn atr_ratio(days: &[DayRange]) -> Option<Decimal> {
    let period = Decimal::from(ATR_DAYS);
    let ranges = days.windows(2).filter_map(|pair| match pair {
        [before, day] => Some(day.true_range(before.close)),
        _ => None,
    });
    let mut ranges = ranges.fuse();
    let first: Vec<Decimal> = ranges.by_ref().take(ATR_DAYS).collect();
    if first.len() < ATR_DAYS {
        return None;
    }
    let mut atr = first.iter().sum::<Decimal>() / period;
    for range in ranges {
        atr = (atr * (period - Decimal::ONE) + range) / period;
    }
    let ratio = atr.checked_div(days.last()?.close)?;
    Some(ratio.round_dp_with_strategy(RATIO_PLACES, RoundingStrategy::MidpointNearestEven))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(high: i64, low: i64, close: i64) -> DayRange {
        let [high, low, close] = [high, low, close].map(Decimal::from);
        DayRange { high, low, close }
    }

    #[test]
    fn a_steady_issue_has_its_daily_range() {
        let days = vec![day(102, 98, 100); 15];
        assert_eq!(atr_ratio(&days), Some(Decimal::new(4, 2)));
        assert_eq!(atr_ratio(&days[1..]), None);
    }

    #[test]
    fn a_gap_counts_from_the_close_before_and_fades_by_a_fourteenth() {
        let mut days = vec![day(100, 100, 100); 15];
        days.push(day(114, 114, 114));
        let ratio = atr_ratio(&days).unwrap();
        assert_eq!(ratio, Decimal::new(8_772, 6), "1 over 114");
        days.push(day(114, 114, 114));
        assert_eq!(
            atr_ratio(&days),
            Some(Decimal::new(8_145, 6)),
            "13/14 over 114"
        );
    }
}
