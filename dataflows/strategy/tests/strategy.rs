//! The daily strategy as a whole: what it says after any edits is what it says of the rows that
//! stand, and an edit works on what depends on it.

mod market;

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use turnstile_strategy::{
    Bar, Change, Day, Evaluation, Flow, Instrument, Listing, ListingStatus, Market, NoPortfolio,
    RankingList, Settings, Snapshot, Stage, Tier, Work, with,
};

use market::{Random, Rows, edit, session, settings, symbol, today};

/// What a new session says of all rows.
fn from_scratch(rows: &Rows) -> Snapshot {
    with(|session| {
        rows.load(session);
        session.settle();
        session.snapshot().clone()
    })
}

/// Counts what a snapshot has.
fn tally(snapshot: &Snapshot, counts: &mut BTreeMap<&'static str, u32>) {
    let tiers = || snapshot.universe.values().map(|row| row.tier);
    let judged = |row: &Evaluation| row.judged.is_some();
    let facts = [
        ("checked", true),
        ("held", tiers().any(|tier| tier == Ok(Tier::Holding))),
        ("watched", tiers().any(|tier| tier == Ok(Tier::Watchlist))),
        ("listed", tiers().any(|tier| tier == Ok(Tier::Listed))),
        (
            "on a list",
            tiers().any(|tier| matches!(tier, Ok(Tier::Ranking(_)))),
        ),
        ("excluded", tiers().any(|tier| tier.is_err())),
        ("judged", snapshot.evaluations.values().any(judged)),
        (
            "unjudged",
            snapshot
                .evaluations
                .values()
                .any(|row| row.judged.is_none()),
        ),
        ("signals", !snapshot.signals.is_empty()),
        ("rankings", snapshot.rankings.len() > 2),
        (
            "selected",
            snapshot.rankings.iter().any(|row| row.selected.is_ok()),
        ),
        (
            "not selected",
            snapshot.rankings.iter().any(|row| row.selected.is_err()),
        ),
        ("portfolio", snapshot.portfolio.is_ok()),
        (
            "too few names",
            matches!(snapshot.portfolio, Err(NoPortfolio::Names(_))),
        ),
        (
            "unpublished",
            matches!(snapshot.portfolio, Err(NoPortfolio::Universe { .. })),
        ),
    ];
    for (name, holds) in facts {
        *counts.entry(name).or_default() += u32::from(holds);
    }
}

#[test]
fn after_any_edits_it_says_what_it_says_of_the_rows_that_stand() {
    let counts = RefCell::new(BTreeMap::new());
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(24)
    };
    let result = TestRunner::new(config).run(&(any::<u64>(), 1_u64..60), |(seed, edits)| {
        let mut random = Random(seed);
        let mut rows = Rows::generate(&mut random);
        with(|session| {
            rows.load(session);
            session.settle();
            tally(session.snapshot(), &mut counts.borrow_mut());
            for number in 1..=edits {
                let change = edit(&mut random);
                rows.apply(change.clone());
                session.apply(change);
                // Several edits settle together, and most of them are not compared.
                if random.below(3) > 0 {
                    session.settle();
                }
                if random.below(8) == 0 || number == edits {
                    session.settle();
                    let expected = from_scratch(&rows);
                    prop_assert_eq!(session.snapshot(), &expected);
                    tally(&expected, &mut counts.borrow_mut());
                }
            }
            Ok(())
        })
    });
    if let Err(TestError::Fail(reason, (seed, edits))) = &result {
        panic!("seed {seed}, {edits} edits: {reason}");
    }
    assert!(result.is_ok());
    let counts = counts.into_inner();
    println!("{counts:?}");
    for (name, count) in &counts {
        assert!(*count > 0, "no case has {name}: {counts:?}");
    }
    // Most cases come as far as a ranking.
    assert!(counts["rankings"] * 2 > counts["checked"], "{counts:?}");
}

#[test]
fn a_changed_flow_evaluates_the_flow_of_its_symbol_only() {
    let rows = Rows::generate(&mut Random(1));
    with(|session| {
        rows.load(session);
        session.settle();
        let evaluated = session.snapshot().evaluations.clone();
        let changed = evaluated
            .values()
            .find(|row| row.scores.flow.is_some())
            .unwrap();
        let before = session.work();
        let flow = Flow {
            foreign: Some(-3_000_000),
            institution: Some(-3_000_000),
        };
        session.apply(Change::Flow(changed.symbol, today(), Some(flow)));
        session.settle();
        let after = session.work();
        let expected = Work {
            flows: before.flows + 1,
            judged: before.judged + 1,
            ..before
        };
        assert_eq!(after, expected);
        let now = session.snapshot().evaluations[&changed.symbol].scores;
        assert!(now.flow < changed.scores.flow);
        assert_eq!(
            (now.momentum, now.event),
            (changed.scores.momentum, changed.scores.event)
        );
    });
}

#[test]
fn a_changed_setting_evaluates_no_rows() {
    let rows = Rows::generate(&mut Random(2));
    with(|session| {
        rows.load(session);
        session.settle();
        let before = session.work();
        let settings = Settings {
            buy_min: 70,
            names_min: 1,
            ..settings()
        };
        session.apply(Change::Settings(settings));
        session.settle();
        assert_eq!(session.work(), before);
    });
}

#[test]
fn another_day_evaluates_each_listed_symbol_once() {
    let rows = Rows::generate(&mut Random(3));
    with(|session| {
        rows.load(session);
        session.settle();
        let before = session.work();
        let listed = u64::try_from(session.snapshot().universe.len()).unwrap();
        session.apply(Change::AsOf(Day(today().0 - 1)));
        session.settle();
        let after = session.work();
        assert_eq!(after.bars - before.bars, listed);
        assert_eq!(after.flows - before.flows, listed);
        assert_eq!(after.fundamentals - before.fundamentals, listed);
    });
}

#[test]
fn stages_are_told_in_their_order() {
    with(|session| {
        let mut stages = Vec::new();
        session.settle_with(|stage| stages.push(stage));
        assert_eq!(stages, Stage::ALL);
        assert_eq!(session.snapshot(), &Snapshot::default());
    });
}

/// Five bars up to today, and one of the day before them.
fn bars(volume: i64, won: i64, today_won: i64) -> Vec<(Day, Bar)> {
    let bar = |age: u32| {
        let won = if age == 0 { today_won } else { won };
        let bar = Bar {
            open: won * 10_000,
            high: won * 10_000,
            low: won * 10_000,
            close: won * 10_000,
            volume: if age == 0 { volume } else { 100_000 },
            value: volume * won,
            market_cap: Some(1_000_000_000_000),
        };
        (session(125 - age), bar)
    };
    (0..6).map(bar).collect()
}

fn listing() -> Listing {
    Listing {
        name: "삼성".into(),
        market: Market::Kospi,
        instrument: Instrument::Stock,
        status: ListingStatus::Active,
        sector: None,
        market_cap: None,
        is_tradable: true,
        is_managed: false,
        is_caution: false,
    }
}

#[test]
fn the_first_list_that_has_a_symbol_names_its_tier() {
    let settings = Settings {
        list_len: 1,
        universe_min: 1,
        ..Settings::default()
    };
    let shares = [
        bars(300_000, 20_000, 20_000), // The first by volume, and by value.
        bars(100_000, 20_000, 21_000), // The first by gain.
        bars(100_000, 20_000, 20_000), // The first by capitalisation: the lower symbol.
        bars(100_000, 20_000, 20_000), // Searched for most.
        bars(100_000, 20_000, 20_000),
    ];
    with(|session| {
        session.apply(Change::Settings(settings));
        session.apply(Change::AsOf(today()));
        for (number, bars) in (0..).zip(shares) {
            session.apply(Change::Listing(symbol(number), Some(listing())));
            for (day, mut bar) in bars {
                if number < 2 {
                    bar.market_cap = Some(500_000_000_000);
                }
                session.apply(Change::Bar(symbol(number), day, Some(bar)));
            }
        }
        session.apply(Change::Popular(symbol(3), Some(1)));
        session.apply(Change::Popular(symbol(4), Some(2)));
        session.settle();
        let tier = |number| session.snapshot().universe[&symbol(number)].tier;
        assert_eq!(tier(0), Ok(Tier::Ranking(RankingList::VolumeSurge)));
        assert_eq!(tier(1), Ok(Tier::Ranking(RankingList::Gainers)));
        assert_eq!(tier(2), Ok(Tier::Ranking(RankingList::MarketCap)));
        assert_eq!(tier(3), Ok(Tier::Ranking(RankingList::Popular)));
        assert_eq!(tier(4), Ok(Tier::Listed));
    });
}

#[test]
fn half_of_the_listings_must_have_a_bar_of_the_day() {
    let settings = Settings {
        universe_min: 1,
        ..Settings::default()
    };
    with(|session| {
        session.apply(Change::Settings(settings));
        session.apply(Change::AsOf(today()));
        for number in 0..3 {
            session.apply(Change::Listing(symbol(number), Some(listing())));
        }
        for (day, bar) in bars(300_000, 20_000, 20_000) {
            session.apply(Change::Bar(symbol(0), day, Some(bar)));
        }
        session.settle();
        let expected = NoPortfolio::Universe {
            passed: 1,
            with_bar: 1,
            listed: 3,
        };
        assert_eq!(session.snapshot().portfolio, Err(expected));
        assert!(session.snapshot().evaluations.is_empty());
        assert_eq!(session.snapshot().universe.len(), 3);
        session.apply(Change::Listing(symbol(2), None));
        session.settle();
        assert_eq!(session.snapshot().portfolio, Err(NoPortfolio::Names(0)));
        assert_eq!(session.snapshot().evaluations.len(), 1);
    });
}

#[test]
fn prices_that_decide_nothing_change_nothing() {
    let rows = Rows::generate(&mut Random(4));
    with(|session| {
        rows.load(session);
        session.settle();
        let (day, mut bar) = bars(10_000, 20_000, 20_000).remove(0);
        session.apply(Change::Bar(symbol(0), day, Some(bar)));
        session.settle();
        let before = session.work();
        bar.high += 50_000;
        session.apply(Change::Bar(symbol(0), day, Some(bar)));
        session.settle();
        assert_eq!(session.work(), before);
    });
}
