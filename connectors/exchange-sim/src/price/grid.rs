//! Tick sizes and the daily price band (KRX rules in force since 2023-01-25 and 2015-06-15).

use super::Price;
use crate::config::Market;

/// Which tick table an issue follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grid {
    /// Shares: 1 KRW below 2,000 up to 1,000 KRW from 500,000.
    Share,
    /// ETF and ETN: 1 KRW below 2,000, else 5 KRW.
    Fund,
    /// Issues of a tick file that are not Korean: 0.01. A deviation for replays only.
    Cent,
}

/// Upper end (exclusive) and tick of each price range of a share, in KRW.
const SHARE_TICKS: [(i64, i64); 6] = [
    (2_000, 1),
    (5_000, 5),
    (20_000, 10),
    (50_000, 50),
    (200_000, 100),
    (500_000, 500),
];

impl Market {
    pub(crate) const fn grid(self) -> Grid {
        match self {
            Self::Kospi | Self::Kosdaq => Grid::Share,
            Self::Etf => Grid::Fund,
            Self::Foreign => Grid::Cent,
        }
    }

    /// Returns the price at which an issue of this kind can trade that is nearest to `price`.
    #[must_use]
    pub fn nearest_price(self, price: Price) -> Price {
        self.grid().nearest(price)
    }
}

impl Grid {
    /// Returns the distance from `price` to the next price above it.
    pub(crate) fn tick(self, price: Price) -> Price {
        let won = price.units() / 10_000;
        match self {
            Self::Share => Price::from_won(
                SHARE_TICKS
                    .iter()
                    .find(|(end, _)| won < *end)
                    .map_or(1_000, |(_, tick)| *tick),
            ),
            Self::Fund => Price::from_won(if won < 2_000 { 1 } else { 5 }),
            Self::Cent => Price::from_units(100),
        }
    }

    /// Returns the highest price on the grid that is not above `price`.
    pub(crate) fn floor(self, price: Price) -> Price {
        Price::from_units(price.units() - price.units() % self.tick(price).units())
    }

    /// Returns the lowest price on the grid that is not below `price`.
    pub(crate) fn ceil(self, price: Price) -> Price {
        let floor = self.floor(price);
        if floor == price {
            floor
        } else {
            Price::from_units(floor.units() + self.tick(price).units())
        }
    }

    /// Returns the price on the grid that is nearest to `price`, the lower of two, at least one
    /// tick.
    pub(crate) fn nearest(self, price: Price) -> Price {
        let tick = self.tick(price).units();
        let below = self.floor(price).units();
        let nearest = if price.units() - below > tick / 2 {
            below + tick
        } else {
            below
        };
        Price::from_units(nearest.max(tick))
    }

    /// Returns whether an order may carry `price`.
    pub(crate) fn holds(self, price: Price) -> bool {
        self.floor(price) == price
    }

    /// Returns the next price above `price`.
    pub(crate) fn up(self, price: Price) -> Price {
        Price::from_units(self.floor(price).units() + self.tick(price).units())
    }

    /// Returns the next price below `price`, at least one tick.
    pub(crate) fn down(self, price: Price) -> Price {
        let below = Price::from_units(self.ceil(price).units() - 1);
        let floor = self.floor(below);
        if floor.is_some() {
            floor
        } else {
            self.tick(price)
        }
    }

    /// Returns the lowest and highest price of a day with this reference price: ±30 %, the upper
    /// end rounded down and the lower end rounded up to the tick at the resulting price.
    pub(crate) fn band(self, reference: Price) -> (Price, Price) {
        let lower = self.ceil(Price::from_units(reference.units() / 10 * 7));
        let upper = self.floor(Price::from_units(reference.units() / 10 * 13));
        (lower, upper)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn band_of_the_rule_book_example() {
        let (lower, upper) = Grid::Share.band(Price::from_won(190_100));
        assert_eq!(
            (lower, upper),
            (Price::from_won(133_100), Price::from_won(247_000))
        );
    }

    #[rstest]
    #[case(1_999, 1, 2_000, 1_998)]
    #[case(2_000, 5, 2_005, 1_999)]
    #[case(5_000, 10, 5_010, 4_995)]
    #[case(20_000, 50, 20_050, 19_990)]
    #[case(50_000, 100, 50_100, 49_950)]
    #[case(200_000, 500, 200_500, 199_900)]
    #[case(500_000, 1_000, 501_000, 499_500)]
    fn share_ticks(#[case] won: i64, #[case] tick: i64, #[case] up: i64, #[case] down: i64) {
        let price = Price::from_won(won);
        assert_eq!(Grid::Share.tick(price), Price::from_won(tick));
        assert_eq!(Grid::Share.up(price), Price::from_won(up));
        assert_eq!(Grid::Share.down(price), Price::from_won(down));
    }

    #[test]
    fn funds_move_by_five_won() {
        assert_eq!(Grid::Fund.tick(Price::from_won(1_999)), Price::from_won(1));
        assert_eq!(Grid::Fund.tick(Price::from_won(80_000)), Price::from_won(5));
    }
}
