//! Prices that the exchange takes: the tick grid and the limits of the day (KRX market rules,
//! sections 3 and 4).

use rust_decimal::Decimal;
use turnstile_dataflows::model::Price;

use super::broker::Side;

/// Upper bounds and ticks of shares, in KRW; 1,000 above (since 2023-01-25).
const SHARE_TICKS: [(i64, i64); 6] = [
    (2_000, 1),
    (5_000, 5),
    (20_000, 10),
    (50_000, 50),
    (200_000, 100),
    (500_000, 500),
];
/// Upper bounds and ticks of ETF and ETN; 5 above.
const FUND_TICKS: [(i64, i64); 1] = [(2_000, 1)];
/// How far a price may be from the reference price of the day (가격제한폭), percent.
const BAND_PCT: i64 = 30;

fn tick(price: Decimal, is_fund: bool) -> Decimal {
    let (table, above) = if is_fund {
        (&FUND_TICKS[..], 5)
    } else {
        (&SHARE_TICKS[..], 1_000)
    };
    let step = table
        .iter()
        .find(|(bound, _)| price < Decimal::from(*bound))
        .map_or(above, |(_, tick)| *tick);
    Decimal::from(step)
}

/// Returns the price on the grid that is no worse than `limit`: a sale is rounded up, a purchase
/// down. None if there is no such price.
pub(crate) fn on_grid(limit: Price, side: Side, is_fund: bool) -> Option<Price> {
    let limit = limit.to_decimal();
    let tick = tick(limit, is_fund);
    let steps = limit / tick;
    let steps = match side {
        Side::Sell => steps.ceil(),
        Side::Buy => steps.floor(),
    };
    (steps * tick).try_into().ok()
}

/// Lowest and highest price of a day (하한가, 상한가) for shares whose reference price is
/// `reference`: 30 percent from it, rounded towards it on the grid at the resulting price.
pub(super) fn day_limits(reference: Price) -> Option<(Price, Price)> {
    let share = |percent: i64| reference.to_decimal() * Decimal::new(percent, 2);
    let at = |price: Decimal, side| on_grid(price.try_into().ok()?, side, false);
    let lowest = at(share(100 - BAND_PCT), Side::Sell)?;
    let highest = at(share(100 + BAND_PCT), Side::Buy)?;
    Some((lowest, highest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_rounded_to_the_side_that_keeps_it() {
        let rounded = |limit: &str, side, is_fund| {
            on_grid(limit.parse().unwrap(), side, is_fund).map(|price| price.to_string())
        };
        assert_eq!(rounded("191150", Side::Sell, false).unwrap(), "191200");
        assert_eq!(rounded("191150", Side::Buy, false).unwrap(), "191100");
        assert_eq!(rounded("199950", Side::Sell, false).unwrap(), "200000");
        assert_eq!(rounded("10003", Side::Sell, true).unwrap(), "10005");
        assert_eq!(rounded("1999.5", Side::Buy, false).unwrap(), "1999");
        assert_eq!(rounded("0.5", Side::Buy, false), None);
    }

    #[test]
    fn the_limits_of_a_day_are_those_of_the_rules() {
        let won = |won| Price::from_won(won).unwrap();
        assert_eq!(
            day_limits(won(190_100)),
            Some((won(133_100), won(247_000))),
            "the example of the market rules"
        );
        assert_eq!(day_limits(won(1)), Some((won(1), won(1))));
    }
}
