//! What a trade costs: the broker's commission, and the tax on sales by date of transfer.
//!
//! Costs are counted on the running amount of an order, so that their sum does not depend on the
//! pieces in which it was filled.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use super::broker::Side;
use super::calendar::SharedCalendar;

/// Market of an issue, as far as it is taxed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaxClass {
    /// KOSPI and KOSDAQ shares; they have paid alike since 2023 (KRX market rules, section 8). An
    /// unknown market is taxed like them: a profit is shown too low rather than too high.
    Share,
    /// KONEX shares.
    Konex,
    /// ETF and ETN, exempt.
    Exempt,
}

impl TaxClass {
    /// Returns the class of an issue by the columns of `market.stocks`.
    pub fn of(market: &str, instrument_type: &str) -> Self {
        match (market, instrument_type) {
            (_, "ETF" | "ETN") => Self::Exempt,
            ("KONEX", _) => Self::Konex,
            _ => Self::Share,
        }
    }
}

/// First day of transfer and the rate of shares in hundredths of a percent, rural tax included
/// (KRX market rules, section 8).
const SHARE_RATES: [(Date, i64); 4] = [
    (date(2023, 1, 1), 20),
    (date(2024, 1, 1), 18),
    (date(2025, 1, 1), 15),
    (date(2026, 1, 1), 20),
];
/// Rate of KONEX shares in hundredths of a percent, every year.
const KONEX_RATE: i64 = 10;

/// Commission and tax of one execution, whole KRW.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    /// The broker's commission.
    pub fee: Decimal,
    /// Tax on a sale.
    pub tax: Decimal,
}

/// Rates in force.
#[derive(Clone, Debug)]
pub struct CostModel {
    commission: Decimal,
    calendar: SharedCalendar,
}

impl CostModel {
    /// Returns the model with this commission rate per side, as a fraction of the amount.
    pub fn new(commission: Decimal, calendar: impl Into<SharedCalendar>) -> Self {
        Self {
            commission,
            calendar: calendar.into(),
        }
    }

    /// Returns the costs of the piece that takes an order from `before` to `after` KRW, traded on
    /// `day`. Fractions of a won are cut off the running sums.
    pub fn of_piece(
        &self,
        side: Side,
        class: TaxClass,
        day: Date,
        before: Decimal,
        after: Decimal,
    ) -> Costs {
        let tax_rate = match side {
            Side::Sell => self.tax_rate(class, day),
            Side::Buy => Decimal::ZERO,
        };
        let piece = |rate: Decimal| (after * rate).trunc() - (before * rate).trunc();
        Costs {
            fee: piece(self.commission),
            tax: piece(tax_rate),
        }
    }

    /// Returns the tax rate of a sale traded on `day`, by the day of its settlement. Before the
    /// table begins its first rate holds, after its end the last.
    fn tax_rate(&self, class: TaxClass, day: Date) -> Decimal {
        let hundredths = match class {
            TaxClass::Exempt => 0,
            TaxClass::Konex => KONEX_RATE,
            TaxClass::Share => {
                let transfer = self.calendar.now().settlement(day);
                let in_force = SHARE_RATES.iter().rev().find(|(from, _)| *from <= transfer);
                in_force.unwrap_or(&SHARE_RATES[0]).1
            }
        };
        Decimal::new(hundredths, 4)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::execution::calendar::{Calendar, default_holidays};

    fn model() -> CostModel {
        let calendar = Calendar::new(default_holidays(), date(2027, 12, 31));
        CostModel::new(Decimal::new(140_527, 9), calendar)
    }

    fn sale(class: TaxClass, day: Date, won: i64) -> Costs {
        model().of_piece(Side::Sell, class, day, Decimal::ZERO, won.into())
    }

    #[test]
    fn a_sale_of_2026_pays_a_fifth_of_a_percent_cut_to_the_won() {
        let costs = sale(TaxClass::Share, date(2026, 11, 24), 1_234_567);
        assert_eq!(costs.tax, 2_469.into()); // 2469.134
        assert_eq!(costs.fee, 173.into()); // 173.489
    }

    #[test]
    fn the_rate_follows_the_day_of_settlement() {
        // The last two trading days of 2024 settled in 2025; New Year was a Wednesday.
        let calendar = Calendar::new([date(2024, 12, 31), date(2025, 1, 1)], date(2025, 12, 31));
        let model = CostModel::new(Decimal::ZERO, calendar);
        let tax = |day| {
            let (none, million) = (Decimal::ZERO, Decimal::from(1_000_000));
            model
                .of_piece(Side::Sell, TaxClass::Share, day, none, million)
                .tax
        };
        assert_eq!(tax(date(2024, 12, 26)), 1_800.into());
        assert_eq!(tax(date(2024, 12, 27)), 1_500.into());
    }

    #[test]
    fn purchases_and_funds_pay_no_tax() {
        let (none, million) = (Decimal::ZERO, Decimal::from(1_000_000));
        let day = date(2026, 11, 24);
        let buy = model().of_piece(Side::Buy, TaxClass::Share, day, none, million);
        assert_eq!((buy.tax, buy.fee), (Decimal::ZERO, 140.into()));
        assert_eq!(
            sale(TaxClass::of("KOSPI", "ETF"), day, 1_000_000).tax,
            Decimal::ZERO
        );
        assert_eq!(
            sale(TaxClass::of("KONEX", "STOCK"), day, 1_000_000).tax,
            1_000.into()
        );
    }

    proptest! {
        #[test]
        fn costs_do_not_depend_on_the_pieces(pieces in prop::collection::vec(1i64..9_000_000, 1..20)) {
            let day = date(2026, 11, 24);
            let (mut sum, mut before) = (Costs::default(), Decimal::ZERO);
            for won in &pieces {
                let after = before + Decimal::from(*won);
                let costs = model().of_piece(Side::Sell, TaxClass::Share, day, before, after);
                prop_assert!(costs.fee >= Decimal::ZERO && costs.tax >= Decimal::ZERO);
                sum = Costs { fee: sum.fee + costs.fee, tax: sum.tax + costs.tax };
                before = after;
            }
            prop_assert_eq!(sum, sale(TaxClass::Share, day, pieces.iter().sum()));
        }
    }
}
