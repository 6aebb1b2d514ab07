use rstest::rstest;

use super::super::exposure::{ExposureRow, Issue, Name, Sector, Total};
use super::*;
use crate::reentry::{EQUITY_AGE_US_MAX, Equity};

const NOW: LogicalTime = LogicalTime::from_micros(1_795_480_000_000_000);
/// One percent of the equity, KRW.
const PERCENT: i64 = 1_000_000;
const NEW: &str = "000001";
const HELD: &str = "005930";
const NAMELESS: &str = "000002";
const HOMELESS: &str = "000003";

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

fn units(won: i64) -> i128 {
    i128::from(won) * 10_000
}

fn limits() -> RiskLimits {
    RiskLimits::of_domain()
}

fn stop(is_enabled: bool) -> EmergencyStop {
    EmergencyStop {
        is_enabled,
        by: "kim".into(),
        reason: "news".into(),
    }
}

/// An account of 100 percent that holds 10 percent of one name in Chips, KOSPI.
#[derive(Clone)]
struct Account(Exposure);

impl Account {
    fn new() -> Self {
        let mut account = Self(Exposure::default());
        account.equity(units(100 * PERCENT), NOW);
        for (name, market, sector) in [
            (HELD, Market::Kospi, Some("Chips")),
            (NEW, Market::Kospi, Some("Chips")),
            (NAMELESS, Market::Kosdaq, None),
            (HOMELESS, Market::Unknown, Some("Chips")),
        ] {
            let sector = sector.map(Into::into);
            let issue = Issue { market, sector };
            let row = ExposureRow::Issue(symbol(name), issue);
            account.0.apply(row, 1);
        }
        account.name(HELD, units(10 * PERCENT))
    }

    fn equity(&mut self, units: i128, asof: LogicalTime) {
        let units = i64::try_from(units).unwrap();
        self.0.apply(ExposureRow::Equity(Equity { asof, units }), 1);
    }

    fn name(mut self, name: &str, held: i128) -> Self {
        let issue = self.0.issue(symbol(name));
        let row = Name {
            shares: 1,
            held: Some(held),
            unrealised: 0,
            pending: 0,
            issue,
        };
        self.0.apply(ExposureRow::Name(symbol(name), row), 1);
        self
    }

    fn sector(mut self, sector: Sector, won: i64) -> Self {
        self.0.apply(ExposureRow::Sector(sector, total(won)), 1);
        self
    }

    fn market(mut self, market: Market, won: i64) -> Self {
        self.0.apply(ExposureRow::Market(market, total(won)), 1);
        self
    }

    fn lost(mut self, day: i64, month: i64) -> Self {
        let rows = [
            ExposureRow::Day(NOW.seoul_day(), -units(day)),
            ExposureRow::Month(NOW.seoul_month(), -units(month)),
        ];
        rows.into_iter().for_each(|row| self.0.apply(row, 1));
        self
    }

    fn on_paper(mut self, won: i64) -> Self {
        let account = Total {
            unrealised: units(won),
            ..self.0.account()
        };
        self.0.apply(ExposureRow::Account(account), 1);
        self
    }

    /// The name of the check that refuses an entry of `won`, one share at that price.
    fn refusal(&self, name: &str, won: i64) -> Option<&'static str> {
        self.refusal_with(name, won, &limits())
    }

    fn refusal_with(&self, name: &str, won: i64, limits: &RiskLimits) -> Option<&'static str> {
        let intent = entry(name, won);
        let checked = check(&intent, &self.0, Ok(limits), Some(&stop(false)), NOW);
        checked.refusal().map(|(result, _)| result.kind.name())
    }
}

fn total(won: i64) -> Total {
    Total {
        units: units(won),
        names: 1,
        ..Total::default()
    }
}

fn chips() -> Sector {
    Sector::Named("Chips".into())
}

fn entry(name: &str, won: i64) -> Intent {
    Intent {
        symbol: symbol(name),
        qty: Quantity::ONE,
        price: Price::from_won(won).unwrap(),
    }
}

#[test]
fn an_entry_within_every_limit_passes_all_checks_in_their_order() {
    let account = Account::new();
    let checked = check(
        &entry(NEW, PERCENT),
        &account.0,
        Ok(&limits()),
        Some(&stop(false)),
        NOW,
    );
    assert_eq!(checked.refusal(), None);
    let kinds: Vec<_> = checked.results.iter().map(|result| result.kind).collect();
    assert_eq!(kinds, CheckKind::ALL);
    assert!(kinds.is_sorted());
}

#[rstest]
#[case::single_at_limit(HELD, 5 * PERCENT, None)]
#[case::single_by_one_won(HELD, 5 * PERCENT + 1, Some("SINGLE_WEIGHT"))]
#[case::new_name_at_limit(NEW, 15 * PERCENT, None)]
#[case::new_name_by_one_won(NEW, 15 * PERCENT + 1, Some("SINGLE_WEIGHT"))]
#[case::no_market(HOMELESS, PERCENT, Some("MARKET_WEIGHT"))]
#[case::no_sector_is_its_own(NAMELESS, 15 * PERCENT, None)]
fn a_single_weight_breaks_by_one_won(
    #[case] name: &str,
    #[case] won: i64,
    #[case] refused: Option<&str>,
) {
    assert_eq!(Account::new().refusal(name, won), refused);
}

#[rstest]
#[case::sector_at_limit(35, 5 * PERCENT, None)]
#[case::sector_by_one_won(35, 5 * PERCENT + 1, Some("SECTOR_WEIGHT"))]
fn a_sector_breaks_by_one_won(
    #[case] percent: i64,
    #[case] won: i64,
    #[case] refused: Option<&str>,
) {
    let account = Account::new().sector(chips(), percent * PERCENT);
    assert_eq!(account.refusal(NEW, won), refused);
    // A name without a sector is in none of the others.
    assert_eq!(account.refusal(NAMELESS, won), None);
}

#[test]
fn a_market_breaks_by_one_won_and_what_has_no_market_counts_to_each() {
    let kosdaq = RiskLimits {
        market_max: 300_000,
        ..limits()
    };
    let account = Account::new().market(Market::Kosdaq, 20 * PERCENT);
    let refusal = |account: &Account, won| account.refusal_with(NAMELESS, won, &kosdaq);
    assert_eq!(refusal(&account, 10 * PERCENT), None);
    assert_eq!(refusal(&account, 10 * PERCENT + 1), Some("MARKET_WEIGHT"));
    let account = account.market(Market::Unknown, PERCENT);
    assert_eq!(refusal(&account, 9 * PERCENT), None);
    assert_eq!(refusal(&account, 9 * PERCENT + 1), Some("MARKET_WEIGHT"));
}

#[rstest]
#[case::at_limit(3 * PERCENT, 0, None)]
#[case::by_one_won(3 * PERCENT + 1, 0, Some("DAILY_LOSS"))]
// Re-entries and picks spoke of 5 %, this section of 3 %: the strictest wins.
#[case::below_the_other_text(4 * PERCENT, 0, Some("DAILY_LOSS"))]
#[case::month_at_limit(0, 10 * PERCENT, None)]
#[case::month_by_one_won(0, 10 * PERCENT + 1, Some("TOTAL_LOSS"))]
#[case::day_before_month(4 * PERCENT, 11 * PERCENT, Some("DAILY_LOSS"))]
#[case::gains(-9 * PERCENT, -90 * PERCENT, None)]
fn losses_break_by_one_won(#[case] day: i64, #[case] month: i64, #[case] refused: Option<&str>) {
    let account = Account::new().lost(day, month);
    assert_eq!(account.refusal(NEW, PERCENT), refused);
}

#[rstest]
#[case::nothing_sold_at_limit(0, -10 * PERCENT, None)]
#[case::nothing_sold_by_one_won(0, -10 * PERCENT - 1, Some("TOTAL_LOSS"))]
#[case::both_at_limit(4 * PERCENT, -6 * PERCENT, None)]
#[case::both_by_one_won(4 * PERCENT, -6 * PERCENT - 1, Some("TOTAL_LOSS"))]
#[case::sold_with_a_gain(-4 * PERCENT, -14 * PERCENT, None)]
// What is held may stand as well as it likes.
#[case::a_gain_on_paper(10 * PERCENT + 1, 90 * PERCENT, Some("TOTAL_LOSS"))]
fn losses_on_paper_count_to_the_month_and_gains_do_not(
    #[case] month: i64,
    #[case] paper: i64,
    #[case] refused: Option<&str>,
) {
    let account = Account::new().lost(0, month).on_paper(paper);
    assert_eq!(account.refusal(NEW, PERCENT), refused);
}

#[test]
fn a_name_more_than_allowed_is_refused_and_more_of_a_name_is_not() {
    let mut account = Account::new();
    for name in 0..13 {
        account = account.name(&format!("1{name:05}"), units(1));
    }
    assert_eq!(account.refusal(NEW, PERCENT), None); // The fifteenth.
    account = account.name("200000", units(1));
    assert_eq!(account.refusal(NEW, PERCENT), Some("TOTAL_POSITIONS"));
    assert_eq!(account.refusal(HELD, PERCENT), None);
    // Also where more are held than are allowed.
    account = account.name("200001", units(1));
    assert_eq!(account.refusal(HELD, PERCENT), None);
}

#[test]
fn what_is_reserved_counts_until_it_is_released() {
    let mut account = Account::new();
    let price = Price::from_won(10 * PERCENT).unwrap();
    let before = account.clone();
    let one = account.0.reserve(symbol(NEW), Quantity::ONE, price);
    assert_eq!(account.refusal(NEW, 5 * PERCENT), None);
    assert_eq!(account.refusal(NEW, 5 * PERCENT + 1), Some("SINGLE_WEIGHT"));
    assert_eq!(account.0.of_sector(&chips()), units(10 * PERCENT));
    assert_eq!(account.0.of_market(Market::Kospi), units(10 * PERCENT));
    assert_eq!(account.0.count(), 2);
    let two = account.0.reserve(symbol(NEW), Quantity::ONE, price);
    assert_eq!(account.0.count(), 2);
    account.0.release(&one);
    account.0.release(&two);
    assert_eq!(account.0, before.0);
}

#[rstest]
#[case::zero(0, 0)]
#[case::negative(-1, 0)]
#[case::stale(100 * PERCENT, EQUITY_AGE_US_MAX + 1)]
fn without_equity_nothing_is_bought(#[case] won: i64, #[case] age_us: u64) {
    let mut account = Account::new();
    let asof = LogicalTime::from_micros(NOW.micros() - age_us);
    account.equity(units(won), asof);
    assert_eq!(account.refusal(NEW, 1), Some("SINGLE_WEIGHT"));
}

#[test]
fn an_equity_that_nobody_told_refuses() {
    let mut exposure = Exposure::default();
    let issue = Issue {
        market: Market::Kospi,
        sector: None,
    };
    exposure.apply(ExposureRow::Issue(symbol(NEW), issue), 1);
    assert_eq!(Account(exposure).refusal(NEW, 1), Some("SINGLE_WEIGHT"));
}

#[test]
fn a_held_name_of_no_value_refuses() {
    let mut account = Account::new();
    let total = Total {
        unvalued: 1,
        ..total(PERCENT)
    };
    account.0.apply(ExposureRow::Account(total), 1);
    assert_eq!(account.refusal(NEW, 1), Some("SINGLE_WEIGHT"));
}

#[test]
fn the_stop_comes_before_limits_and_limits_before_all_others() {
    let (account, intent) = (Account::new(), entry(NEW, 99 * PERCENT));
    let first = |limits, stop: Option<&EmergencyStop>| {
        let checked = check(&intent, &account.0, limits, stop, NOW);
        let (result, reason) = checked.refusal().unwrap();
        let name = result.kind.name();
        (name, reason.to_owned(), checked.results.len())
    };
    let (name, reason, count) = first(Err("gone"), Some(&stop(true)));
    assert_eq!((name, count), ("EMERGENCY_STOP", 1));
    assert_eq!(reason, "emergency stop by kim: news");
    let known = limits();
    let (name, _, count) = first(Ok(&known), None);
    assert_eq!((name, count), ("EMERGENCY_STOP", 1));
    let (name, reason, count) = first(Err("gone"), Some(&stop(false)));
    assert_eq!((name, reason.as_str(), count), ("LIMITS", "gone", 2));
}

#[test]
fn a_refusal_names_what_was_compared() {
    let account = Account::new();
    let checked = check(
        &entry(HELD, 5 * PERCENT + 1),
        &account.0,
        Ok(&limits()),
        Some(&stop(false)),
        NOW,
    );
    let (result, reason) = checked.refusal().unwrap();
    let (after, most) = (units(15 * PERCENT + 1), units(15 * PERCENT));
    assert_eq!(result.figures, Some(Figures::Amount { after, most }));
    assert_eq!(reason, "the name comes to 15000001 KRW, at most 15000000");
}

#[test]
fn an_amount_beyond_all_numbers_is_refused() {
    let intent = Intent {
        qty: Quantity::new(i64::MAX).unwrap(),
        price: Price::from_units(i64::MAX).unwrap(),
        ..entry(NEW, 1)
    };
    let account = Account::new();
    let checked = check(&intent, &account.0, Ok(&limits()), Some(&stop(false)), NOW);
    let (result, _) = checked.refusal().unwrap();
    assert_eq!(result.kind, CheckKind::SingleWeight);
}
