//! What the risk desk maintains equals what is computed from scratch, after every batch of random
//! histories; and a restart gives what one without it would have.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use turnstile_dataflows::model::{
    LogicalTime, Market, Position, PositionId, Price, Quantity, SaleId, SaleResult, Symbol,
};
use turnstile_dataflows::reentry::{Equity, Underway};
use turnstile_dataflows::risk::{
    Exposure, ExposureRow, Issue, Name, RiskChange, RiskEvent, RiskView, Sector, Total, run,
};

use super::{BEGIN_US, DAY_US, SYMBOLS, position, sale, symbol, views};

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
            // Of each position whose cost is known, at the price.
            let results = held.iter().filter_map(|row| {
                let gain = price?.units() - row.avg_price?.units();
                Some(i128::from(row.qty.shares() * gain))
            });
            let cost = |row: &&Underway| i128::from(row.left.shares() * row.price.units());
            let name = Name {
                shares,
                held: at_price.or(at_cost),
                unrealised: results.sum(),
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
                total.unrealised += name.unrealised;
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
