//! The exposure that the risk desk maintains equals the one that is computed from scratch, after every
//! batch of random histories.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use turnstile_dataflows::model::{
    LogicalTime, Market, Position, PositionId, PositionMode, Price, Quantity, SaleId, SaleResult,
    Symbol,
};
use turnstile_dataflows::reentry::{Equity, Underway};
use turnstile_dataflows::risk::{
    Exposure, ExposureRow, Issue, Name, RiskChange, RiskEvent, RiskLimits, RiskProfile, RiskView,
    Sector, Total, run,
};

/// 2026-11-24 in Seoul.
const BEGIN_US: u64 = 1_795_480_000_000_000;
const DAY_US: u64 = 86_400_000_000;
const SYMBOLS: [&str; 4] = ["005930", "000660", "035720", "069500"];

fn symbol(n: usize) -> Symbol {
    SYMBOLS[n % SYMBOLS.len()].parse().unwrap()
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(n: usize) -> T {
    format!("00000000-0000-4000-8000-{n:012}").parse().unwrap()
}

fn position(n: usize, of: usize, qty: i64, avg: i64) -> Position {
    Position {
        id: id(n),
        symbol: symbol(of),
        qty: Quantity::new(qty).unwrap(),
        original_qty: Quantity::new(qty).unwrap(),
        avg_price: Price::from_units(avg).ok(),
        entry: LogicalTime::from_micros(BEGIN_US),
        is_live: qty > 0 || avg % 2 == 0,
        mode: PositionMode::Enabled,
        profile: None,
        strategy: "test".into(),
        cycle: 1,
        version: 1,
    }
}

fn sale(n: usize, sold: LogicalTime, units: i64) -> RiskChange {
    let id = id(n);
    RiskChange::Sale(SaleResult { id, sold, units })
}

fn change() -> impl Strategy<Value = RiskChange> {
    let issue = |market: usize, sector: usize| Issue {
        market: [Market::Kospi, Market::Kosdaq, Market::Unknown][market],
        sector: (sector > 0).then(|| format!("sector {sector}").into()),
    };
    let underway = |of: usize, left: i64, price: i64| Underway {
        symbol: symbol(of),
        left: Quantity::new(left).unwrap(),
        price: Price::from_units(price).unwrap(),
    };
    let at = |day: u64| LogicalTime::from_micros(BEGIN_US + day * DAY_US);
    prop_oneof![
        4 => (0..5usize, 0..4usize, 0..9i64, 0..5i64)
            .prop_map(|(n, of, qty, avg)| RiskChange::Position(position(n, of, qty, avg))),
        3 => (0..4usize, 0..4usize, 1..9i64, 1..5i64, any::<bool>()).prop_map(
            move |(n, of, left, price, is_over)| {
                let row = (!is_over).then(|| underway(of, left, price));
                RiskChange::Buying(format!("key {n}").into(), row)
            }
        ),
        3 => (0..4usize, 1..9i64).prop_map(|(of, units)| {
            RiskChange::Price(symbol(of), Price::from_units(units).unwrap())
        }),
        2 => (0..4usize, 0..3usize, 0..3usize, any::<bool>()).prop_map(
            move |(of, market, sector, is_gone)| {
                RiskChange::Issue(symbol(of), (!is_gone).then(|| issue(market, sector)))
            }
        ),
        2 => (0..6usize, 0..12u64, -9..9i64)
            .prop_map(move |(n, day, units)| sale(n, at(day), units)),
        1 => (0..9u64, 1..9i64).prop_map(move |(day, units)| {
            RiskChange::Equity(Some(Equity { asof: at(day), units }))
        }),
    ]
}

/// The rows that now stand.
#[derive(Clone, Default)]
struct Rows {
    positions: BTreeMap<PositionId, Position>,
    buys: BTreeMap<Arc<str>, Underway>,
    prices: BTreeMap<Symbol, Price>,
    issues: BTreeMap<Symbol, Issue>,
    results: BTreeMap<SaleId, (LogicalTime, i64)>,
    equity: Option<Equity>,
}

impl Rows {
    fn take(&mut self, now: u64, change: RiskChange) {
        match change {
            RiskChange::Position(row) if row.is_live => {
                self.positions.insert(row.id.clone(), row);
            }
            RiskChange::Position(row) => {
                self.positions.remove(&row.id);
            }
            RiskChange::Buying(key, Some(row)) => {
                self.buys.insert(key, row);
            }
            RiskChange::Buying(key, None) => {
                self.buys.remove(&key);
            }
            RiskChange::Price(symbol, price) => {
                self.prices.insert(symbol, price);
            }
            RiskChange::Issue(symbol, Some(issue)) => {
                self.issues.insert(symbol, issue);
            }
            RiskChange::Issue(symbol, None) => {
                self.issues.remove(&symbol);
            }
            RiskChange::Sale(sale) => {
                self.results.insert(sale.id, (sale.sold, sale.units));
            }
            RiskChange::Equity(row) => {
                let is_older = |row: &Equity| self.equity.is_some_and(|last| row.asof < last.asof);
                let is_to_come = |row: &Equity| row.asof.micros() > now + 5 * 60_000_000;
                if !row.is_some_and(|row| is_older(&row) || is_to_come(&row)) {
                    self.equity = row;
                }
            }
            RiskChange::Limits(..) | RiskChange::Profile(_) | RiskChange::Stop(_) => {}
        }
    }

    fn names(&self) -> BTreeMap<Symbol, Name> {
        let mut names = BTreeMap::new();
        for n in 0..SYMBOLS.len() {
            let symbol = symbol(n);
            let held = self.positions.values();
            let held: Vec<_> = held
                .filter(|row| row.symbol == symbol && !row.qty.is_zero())
                .collect();
            let buys = self.buys.values().filter(|row| row.symbol == symbol);
            let buys: Vec<_> = buys.collect();
            if held.is_empty() && buys.is_empty() {
                continue;
            }
            let shares: i64 = held.iter().map(|row| row.qty.shares()).sum();
            let at_cost = held.iter().map(|row| {
                let price = row.avg_price?;
                Some(i128::from(row.qty.shares() * price.units()))
            });
            let at_cost: Option<i128> = at_cost.sum();
            let price = self.prices.get(&symbol);
            let at_price = price.map(|price| i128::from(shares * price.units()));
            let cost = |row: &&Underway| i128::from(row.left.shares() * row.price.units());
            let name = Name {
                shares,
                held: at_price.or(at_cost),
                cost: at_cost,
                pending: buys.iter().map(cost).sum(),
                issue: self.issues.get(&symbol).cloned().unwrap_or(Issue::UNKNOWN),
            };
            names.insert(symbol, name);
        }
        names
    }

    /// Everything from scratch, at the end of a history of which `month` is the last month.
    fn exposure(&self, month: u64) -> Exposure {
        let mut rows = Vec::new();
        let mut sectors: BTreeMap<Sector, Total> = BTreeMap::new();
        let mut markets: BTreeMap<Market, Total> = BTreeMap::new();
        let mut account = Total::default();
        let names = self.names();
        for (symbol, name) in &names {
            let sector = sectors.entry(name.issue.sector_of(*symbol)).or_default();
            let market = markets.entry(name.issue.market).or_default();
            for total in [sector, market, &mut account] {
                total.units += name.held.unwrap_or(0) + name.pending;
                total.pending += name.pending;
                total.names += 1;
                total.unvalued += i64::from(name.held.is_none());
                if let (Some(held), Some(cost)) = (name.held, name.cost) {
                    total.unrealised += held - cost;
                }
            }
        }
        let (mut days, mut months) = (BTreeMap::new(), BTreeMap::new());
        let results = self.results.values();
        for (sold, units) in results.filter(|(sold, _)| sold.seoul_month() >= month) {
            *days.entry(sold.seoul_day()).or_default() += i128::from(*units);
            *months.entry(sold.seoul_month()).or_default() += i128::from(*units);
        }
        rows.extend(
            names
                .into_iter()
                .map(|(key, row)| ExposureRow::Name(key, row)),
        );
        rows.extend(
            sectors
                .into_iter()
                .map(|(key, row)| ExposureRow::Sector(key, row)),
        );
        rows.extend(
            markets
                .into_iter()
                .map(|(key, row)| ExposureRow::Market(key, row)),
        );
        rows.push(ExposureRow::Account(account));
        rows.extend(
            days.into_iter()
                .map(|(key, row)| ExposureRow::Day(key, row)),
        );
        rows.extend(
            months
                .into_iter()
                .map(|(key, row)| ExposureRow::Month(key, row)),
        );
        rows.extend(self.equity.map(ExposureRow::Equity));
        let issues = self.issues.clone().into_iter();
        rows.extend(issues.map(|(key, row)| ExposureRow::Issue(key, row)));
        let mut exposure = Exposure::default();
        rows.into_iter().for_each(|row| exposure.apply(row, 1));
        exposure
    }
}

/// Events with what each changes, so many microseconds after the one before.
fn in_time(history: Vec<(Vec<RiskChange>, u64)>) -> Vec<RiskEvent> {
    let mut time = BEGIN_US;
    let events = history.into_iter().map(|(changes, step_us)| {
        time += step_us;
        RiskEvent {
            time: LogicalTime::from_micros(time),
            changes,
            is_complete: true,
        }
    });
    events.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_maintained_exposure_is_the_one_from_scratch(
        history in prop::collection::vec(
            (prop::collection::vec(change(), 0..4), 1..3u64 * 3_600_000_000),
            1..60,
        ),
        batch in 1..7usize,
    ) {
        // Hours apart: some histories pass into the next month.
        let events = in_time(history);
        let mut batches: Vec<Vec<RiskEvent>> = events.chunks(batch).map(<[_]>::to_vec).collect();
        let expected: Vec<(LogicalTime, Exposure)> = batches
            .iter()
            .scan(Rows::default(), |rows, batch| {
                for event in batch {
                    let changes = event.changes.iter().cloned();
                    changes.for_each(|change| rows.take(event.time.micros(), change));
                }
                let last = batch.last()?.time;
                let month = last.seoul_month();
                // What was of an earlier month at its end is gone for good.
                Some((last, rows.exposure(month)))
            })
            .collect();
        batches.reverse();
        let maintained = Arc::new(Mutex::new((RiskView::default(), Vec::new())));
        let told = maintained.clone();
        run(
            move |events| {
                events.extend(batches.pop().unwrap_or_default());
                !batches.is_empty()
            },
            move |changes| {
                let (view, seen) = &mut *told.lock().unwrap();
                view.apply(changes);
                seen.push(view.exposure.clone());
            },
        );
        let (_view, seen) = &*maintained.lock().unwrap();
        prop_assert_eq!(seen.len(), expected.len());
        for (seen, (time, expected)) in seen.iter().zip(&expected) {
            prop_assert_eq!(seen, expected, "at {}", time);
        }
    }
}

/// The rows that stand at start as whole: each key with its last row, those of results of the month alone.
fn loaded(history: &[RiskEvent]) -> Vec<RiskChange> {
    let mut rows = Rows::default();
    for event in history {
        let changes = event.changes.iter().cloned();
        changes.for_each(|change| rows.take(event.time.micros(), change));
    }
    let month = history.last().map(|event| event.time.seoul_month());
    let results = rows.results.into_iter();
    let results = results.filter(|(_id, (sold, _))| Some(sold.seoul_month()) >= month);
    let mut changes: Vec<_> = results
        .map(|(id, (sold, units))| RiskChange::Sale(SaleResult { id, sold, units }))
        .collect();
    changes.extend(rows.positions.into_values().map(RiskChange::Position));
    let buys = rows.buys.into_iter();
    changes.extend(buys.map(|(key, row)| RiskChange::Buying(key, Some(row))));
    let prices = rows.prices.into_iter();
    changes.extend(prices.map(|(symbol, price)| RiskChange::Price(symbol, price)));
    let issues = rows.issues.into_iter();
    changes.extend(issues.map(|(symbol, issue)| RiskChange::Issue(symbol, Some(issue))));
    changes.push(RiskChange::Equity(rows.equity));
    changes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_restart_gives_the_view_of_a_desk_that_never_stopped(
        history in prop::collection::vec(
            (prop::collection::vec(change(), 0..4), 1..12u64 * 3_600_000_000),
            1..40,
        ),
    ) {
        let mut events = in_time(history);
        // The equity that stands is of no time to come at the restart.
        let last = events.last().map_or(BEGIN_US, |event| event.time.micros());
        let end = LogicalTime::from_micros(last + 12 * DAY_US);
        events.push(RiskEvent { time: end, changes: Vec::new(), is_complete: true });
        let changes = loaded(&events);
        let again = RiskEvent { time: end, changes, is_complete: true };
        let went_on = views(events).pop().map(|view| view.exposure);
        let restarted = views(vec![again]).pop().map(|view| view.exposure);
        prop_assert_eq!(restarted, went_on);
    }
}

/// Runs the desk over `events`, one after the other. Returns the view after each.
fn views(mut events: Vec<RiskEvent>) -> Vec<RiskView> {
    events.reverse();
    let seen = Arc::new(Mutex::new((RiskView::default(), Vec::new())));
    let told = seen.clone();
    run(
        move |waiting| {
            waiting.extend(events.pop());
            !events.is_empty()
        },
        move |changes| {
            let (view, seen) = &mut *told.lock().unwrap();
            view.apply(changes);
            seen.push(view.clone());
        },
    );
    let (_view, seen) = &*seen.lock().unwrap();
    seen.clone()
}

/// A second after `BEGIN_US` with what it tells.
fn event(second: u64, is_complete: bool, changes: Vec<RiskChange>) -> RiskEvent {
    RiskEvent {
        time: LogicalTime::from_micros(BEGIN_US + second * 1_000_000),
        changes,
        is_complete,
    }
}

fn limits() -> Vec<RiskChange> {
    let limits = RiskLimits {
        id: 1,
        profile: RiskProfile::Default,
        positions_max: 1,
        single_max: 150_000,
        sector_max: 400_000,
        market_max: 1_000_000,
        daily_loss_max: 30_000,
        total_loss_max: 100_000,
        from: LogicalTime::default(),
        until: LogicalTime::MAX,
    };
    vec![
        RiskChange::Limits(limits.id, Some(limits)),
        RiskChange::Profile(Some(RiskProfile::Default)),
    ]
}

#[test]
fn there_is_no_view_before_the_first_state_is_told_as_a_whole() {
    let held = vec![RiskChange::Position(position(0, 0, 1, 1))];
    let later = vec![RiskChange::Position(position(1, 1, 1, 1))];
    let seen = views(vec![
        event(0, false, limits()),
        event(1, false, held),
        event(2, true, Vec::new()),
        event(3, false, later),
    ]);
    let known: Vec<bool> = seen.iter().map(RiskView::is_known).collect();
    assert_eq!(known, [false, false, true, true]);
    let now = event(3, false, Vec::new()).time;
    let given: Vec<bool> = seen.iter().map(|view| view.limits(now).is_ok()).collect();
    assert_eq!(
        given,
        [false, false, true, true],
        "limits alone are no view"
    );
    let names: Vec<usize> = seen.iter().map(|view| view.exposure.count()).collect();
    assert_eq!(names, [0, 1, 1, 2], "what comes later counts at once");
}

#[test]
fn a_view_counts_for_ten_seconds_either_way() {
    let view = views(vec![event(60, true, limits())]).pop().unwrap();
    let given = |second| view.limits(event(second, false, Vec::new()).time).err();
    assert_eq!((given(50), given(60), given(70)), (None, None, None));
    let (early, late) = (given(49), given(71));
    assert_eq!(
        early,
        Some("limits and exposure are of a time that has not come")
    );
    assert_eq!(late, Some("limits and exposure are older than ten seconds"));
}

#[test]
fn an_equity_of_a_time_to_come_keeps_no_later_one_out() {
    let equity = |second| {
        let asof = event(second, true, Vec::new()).time;
        RiskChange::Equity(Some(Equity { asof, units: 7 }))
    };
    let seen = views(vec![
        event(0, true, vec![equity(301)]),
        event(1, true, vec![equity(1)]),
        event(2, true, vec![equity(302)]),
    ]);
    let at = |second| event(second, true, Vec::new()).time;
    let [far, later, ahead] = &seen[..] else {
        panic!("{seen:?}")
    };
    let nobody = Err("nobody has said what the account is worth");
    assert_eq!(far.exposure.equity(at(301)), nobody);
    assert_eq!(later.exposure.equity(at(1)), Ok(7));
    let to_come = Err("what the account is worth is of a time that has not come");
    assert_eq!(ahead.exposure.equity(at(291)), to_come);
    assert_eq!(ahead.exposure.equity(at(292)), Ok(7));
}

/// The last view after `changes`, a second each.
fn after(changes: Vec<RiskChange>) -> Exposure {
    let events = (0..).zip(changes);
    let events = events.map(|(second, change)| event(second, true, vec![change]));
    views(events.collect()).pop().unwrap().exposure
}

/// A position at an average cost of five ten-thousandths of a won.
fn holding(qty: i64) -> RiskChange {
    RiskChange::Position(position(0, 0, qty, 5))
}

fn price(units: i64) -> RiskChange {
    RiskChange::Price(symbol(0), Price::from_units(units).unwrap())
}

#[test]
fn a_part_sold_at_a_loss_today_counts_today_and_the_rest_on_paper() {
    let now = LogicalTime::from_micros(BEGIN_US);
    let half = vec![holding(10), price(3), sale(1, now, -10), holding(5)];
    let view = after(half.clone());
    assert_eq!((view.of_day(now), view.of_month(now)), (-10, -10));
    assert_eq!(view.unrealised(), 5 * (3 - 5));
    // The rest is sold for what it was worth: nothing has changed but that the loss is realised.
    let mut rest = half;
    rest.extend([sale(2, now, -10), holding(0)]);
    let view = after(rest);
    assert_eq!((view.of_day(now), view.unrealised()), (-20, 0));
}

#[test]
fn what_was_sold_on_earlier_days_stays_theirs_when_the_position_closes() {
    let at = |day: u64| LogicalTime::from_micros(BEGIN_US + day * DAY_US);
    let today = at(2);
    let view = after(vec![
        holding(10),
        // Marked down on the first day, sold in part on the second, closed on the third.
        price(3),
        sale(1, at(1), -8),
        holding(6),
        price(2),
        sale(2, today, -18),
        holding(0),
    ]);
    let days = [at(0), at(1), today].map(|day| view.of_day(day));
    assert_eq!(
        days,
        [0, -8, -18],
        "each sale on its day, against the whole cost"
    );
    assert_eq!((view.of_month(today), view.unrealised()), (-26, 0));
}

#[test]
fn a_sale_counts_to_its_day_in_seoul() {
    // A second before and after midnight in Seoul.
    let midnight = LogicalTime::from_micros(BEGIN_US).next_seoul_day().micros();
    let at = |micros| LogicalTime::from_micros(micros);
    let (before, after_it) = (at(midnight - 1), at(midnight));
    let view = after(vec![sale(1, before, -1), sale(2, after_it, -2)]);
    assert_eq!((view.of_day(before), view.of_day(after_it)), (-1, -2));
    assert_eq!(view.of_day(at(midnight + DAY_US)), 0, "a day of its own");
}

#[test]
fn paper_results_follow_price_and_cost() {
    for (changes, unrealised) in [
        (vec![holding(10)], 0), // Without a price it is held at cost.
        (vec![holding(10), price(7)], 20),
        (vec![holding(10), price(7), price(4)], -10),
        (vec![price(4), holding(10)], -10),
        (vec![holding(10), price(4), holding(0)], 0),
        // What has no cost has no result.
        (
            vec![RiskChange::Position(position(0, 0, 10, 0)), price(4)],
            0,
        ),
        // What is being bought has none yet.
        (
            vec![
                price(4),
                RiskChange::Buying(
                    "key".into(),
                    Some(Underway {
                        symbol: symbol(0),
                        left: Quantity::new(9).unwrap(),
                        price: Price::from_units(9).unwrap(),
                    }),
                ),
            ],
            0,
        ),
    ] {
        let said = format!("{changes:?}");
        assert_eq!(after(changes).unrealised(), unrealised, "{said}");
    }
}
