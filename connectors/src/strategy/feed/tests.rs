//! Laws of the feed.

use proptest::prelude::*;
use turnstile_strategy::{Instrument, ListingStatus};

use super::*;

/// What a dataflow would hold after these changes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Held(BTreeMap<String, String>);

impl Held {
    fn take(&mut self, change: Change) {
        let (key, value) = match change {
            Change::AsOf(day) => ("as of".to_owned(), Some(format!("{day:?}"))),
            Change::Settings(settings) => ("settings".to_owned(), Some(format!("{settings:?}"))),
            Change::Listing(symbol, row) => (format!("l {symbol}"), text(row)),
            Change::Wanted(symbol, row) => (format!("w {symbol}"), text(row)),
            Change::Popular(symbol, row) => (format!("p {symbol}"), text(row)),
            Change::Bar(symbol, day, row) => (format!("b {symbol} {day:?}"), text(row)),
            Change::Fundamental(symbol, day, row) => (format!("f {symbol} {day:?}"), text(row)),
            Change::Flow(symbol, day, row) => (format!("i {symbol} {day:?}"), text(row)),
            Change::Disclosure(number, row) => (format!("d {number}"), text(row)),
        };
        match value {
            Some(value) => drop(self.0.insert(key, value)),
            None => assert!(
                self.0.remove(&key).is_some(),
                "{key} goes and was not there"
            ),
        }
    }
}

fn text<T: std::fmt::Debug>(row: Option<T>) -> Option<String> {
    row.map(|row| format!("{row:?}"))
}

fn symbol(number: u32) -> Symbol {
    format!("{number:06}").parse().unwrap()
}

/// Rows of `symbols` on each day, with gaps that `dice` decides.
fn input(symbols: u32, days: u32, dice: u64) -> Input {
    let mut input = Input::default();
    let mut state = dice;
    let mut roll = |sides: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    for number in 0..symbols {
        let listing = Listing {
            name: format!("name {number}").into(),
            market: Market::Kospi,
            instrument: Instrument::Stock,
            status: ListingStatus::Active,
            sector: None,
            market_cap: Some(1),
            is_tradable: true,
            is_managed: false,
            is_caution: false,
        };
        input.listings.insert(symbol(number), listing);
    }
    for day in (0..days).map(|day| Day(1_000 + day)) {
        for number in 0..symbols {
            let figure = i64::try_from(roll(1_000)).unwrap() + 1;
            let at = symbol(number);
            let bar = Bar {
                open: 0,
                high: 0,
                low: 0,
                close: figure,
                volume: 0,
                value: 0,
                market_cap: None,
            };
            if roll(4) > 0 {
                input.bars.entry(day).or_default().push((at, bar));
            }
            let flow = Flow {
                foreign: Some(figure),
                institution: None,
            };
            if roll(3) > 0 {
                input.flows.entry(day).or_default().push((at, flow));
            }
            if roll(60) == 0 {
                let row = Fundamental {
                    per: Some(figure.into()),
                    ..Fundamental::default()
                };
                input.fundamentals.entry(day).or_default().push((at, row));
            }
            if roll(40) == 0 {
                let row = Disclosure {
                    symbol: at,
                    day,
                    title: "title".into(),
                };
                let number: Arc<str> = format!("{} {number}", day.0).into();
                input
                    .disclosures
                    .entry(day)
                    .or_default()
                    .push((number, row));
            }
            if roll(20) == 0 {
                let rank = u32::try_from(figure).unwrap();
                input
                    .popular
                    .entry((Market::Kosdaq, day))
                    .or_default()
                    .push((at, rank));
            }
        }
    }
    input
}

fn feed(input: &Input, days: &[u32]) -> (String, Held) {
    let settings = Settings::default();
    let mut feed = Feed::new(input, &settings);
    let (mut digest, mut held) = (String::new(), Held::default());
    for day in days {
        digest = feed.move_to(Day(*day), &mut |change| held.take(change));
    }
    (digest, held)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_day_stands_the_same_whatever_days_came_before(
        dice in any::<u64>(),
        mut days in prop::collection::btree_set(1_000_u32..1_600, 1..6),
    ) {
        let input = input(3, 600, dice);
        let last = *days.last().unwrap();
        let (digest, held) = feed(&input, &Vec::from_iter(days.clone()));
        let (alone, held_alone) = feed(&input, &[last]);
        prop_assert_eq!(&held, &held_alone);
        prop_assert_eq!(&digest, &alone);
        prop_assert!(held.0.keys().filter(|key| key.starts_with("b 000000")).count() <= BARS_KEPT);

        // Anything that is different is another digest.
        days.insert(last + 1);
        let (later, _) = feed(&input, &[last + 1]);
        prop_assert_ne!(&digest, &later);
        let mut other = input;
        other.listings.get_mut(&symbol(1)).unwrap().is_managed = true;
        prop_assert_ne!(&digest, &feed(&other, &[last]).0);
    }
}

#[test]
fn a_list_counts_for_its_days_and_is_told_of_afterwards() {
    let mut input = Input::default();
    input
        .popular
        .insert((Market::Kospi, Day(100)), vec![(symbol(1), 1)]);
    input
        .popular
        .insert((Market::Kosdaq, Day(102)), vec![(symbol(2), 1)]);
    let settings = Settings::default();
    assert_eq!(settings.popular_days, 1, "24 hours, as lists have days");
    for (day, counting, outdated) in [
        (100, vec!["p 000001"], vec![]),
        (101, vec!["p 000001"], vec![]),
        (102, vec!["p 000002"], vec![(Market::Kospi, Day(100))]),
        (
            104,
            vec![],
            vec![(Market::Kospi, Day(100)), (Market::Kosdaq, Day(102))],
        ),
    ] {
        let mut held = Held::default();
        let mut feed = Feed::new(&input, &settings);
        feed.move_to(Day(day), &mut |change| held.take(change));
        let popular = held.0.keys().filter(|key| key.starts_with("p "));
        assert_eq!(popular.collect::<Vec<_>>(), counting, "{day}");
        assert_eq!(feed.outdated_lists(Day(day)), outdated, "{day}");
    }
}

#[test]
fn nothing_after_the_day_is_fed() {
    let input = input(2, 50, 7);
    let (_, held) = feed(&input, &[1_009]);
    let bars = held
        .0
        .keys()
        .filter_map(|key| key.strip_prefix("b 000000 "));
    let days: Vec<&str> = bars.collect();
    assert!(!days.is_empty());
    assert!(days.iter().all(|day| *day <= "Day(1009)"), "{days:?}");
}
