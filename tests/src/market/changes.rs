//! The market as the strategy's dataflow takes it.

use std::sync::Arc;

use jiff::civil::{Date, date};
use rust_decimal::Decimal;
use turnstile_dataflows::model::Symbol;
use turnstile_strategy::{
    Bar, Change, Day, Disclosure, Flow, Fundamental, Instrument, Listing, ListingStatus, Wanted,
};

use super::{Company, GeneratedMarket, Standing, Wish};

/// Units of a price in one KRW.
const UNITS: i64 = 10_000;

impl GeneratedMarket {
    /// Returns every row up to `until` as a change, in the order of the tables; the day of the run and
    /// the settings are the caller's.
    ///
    /// # Panics
    /// Never: symbols and days of a market are ones.
    pub fn changes(&self, until: Date) -> Vec<Change> {
        let mut changes = Vec::new();
        for company in &self.companies {
            let symbol: Symbol = company.symbol.parse().expect("a symbol");
            changes.push(Change::Listing(symbol, Some(listing(company))));
            let wanted = company.wish.map(|wish| match wish {
                Wish::Holding => Wanted::Holding,
                Wish::Watchlist => Wanted::Watchlist,
            });
            if wanted.is_some() {
                changes.push(Change::Wanted(symbol, wanted));
            }
            add_rows(company, symbol, until, &mut changes);
        }
        for market in ["KOSPI", "KOSDAQ"] {
            let lists = self.popular.iter();
            let newest = lists
                .filter(|(day, of, _)| *day <= until && *of == market)
                .max_by_key(|(day, _, _)| *day);
            let symbols = newest.map_or(&[][..], |(_, _, symbols)| symbols);
            for (rank, symbol) in (1..).zip(symbols) {
                let symbol = symbol.parse().expect("a symbol");
                changes.push(Change::Popular(symbol, Some(rank)));
            }
        }
        changes
    }
}

/// Returns a date as the strategy counts days.
///
/// # Panics
/// A date before 1970.
pub fn day_of(day: Date) -> Day {
    let days = day.since(date(1970, 1, 1)).expect("dates have a span");
    Day(u32::try_from(days.get_days()).expect("a day after 1970"))
}

fn add_rows(company: &Company, symbol: Symbol, until: Date, changes: &mut Vec<Change>) {
    let bars = company.bars.iter().filter(|bar| bar.day <= until);
    changes.extend(bars.map(|bar| {
        let row = Bar {
            open: bar.open * UNITS,
            high: bar.high * UNITS,
            low: bar.low * UNITS,
            close: bar.close * UNITS,
            volume: bar.volume,
            value: bar.value,
            market_cap: bar.size.map(|(cap, _shares)| cap),
        };
        Change::Bar(symbol, day_of(bar.day), Some(row))
    }));
    let figures = company.figures.iter().filter(|one| one.day <= until);
    changes.extend(figures.map(|one| {
        let millionths = |ratio: Option<i64>| ratio.map(|ratio| Decimal::new(ratio, 6));
        let [per, pbr, psr, roe, debt_ratio] = one.ratios.map(millionths);
        let row = Fundamental {
            per,
            pbr,
            psr,
            roe,
            debt_ratio,
        };
        Change::Fundamental(symbol, day_of(one.day), Some(row))
    }));
    let flows = company.flows.iter().filter(|flow| flow.day <= until);
    changes.extend(flows.map(|flow| {
        let [foreign, institution, _individual] = flow.nets;
        let row = Flow {
            foreign,
            institution,
        };
        Change::Flow(symbol, day_of(flow.day), Some(row))
    }));
    let disclosed = company.disclosures.iter();
    let disclosed = disclosed.filter(|one| one.at.date() <= until);
    changes.extend(disclosed.map(|one| {
        let row = Disclosure {
            symbol,
            day: day_of(one.at.date()),
            title: Arc::from(one.title),
        };
        Change::Disclosure(Arc::from(one.receipt_no.as_str()), Some(row))
    }));
}

fn listing(company: &Company) -> Listing {
    let standing = company.standing;
    Listing {
        name: Arc::from(company.name.as_str()),
        market: company.market.parse().expect("a market"),
        instrument: Instrument::Stock,
        status: match standing {
            Standing::Suspended => ListingStatus::Suspended,
            Standing::Delisted => ListingStatus::Delisted,
            Standing::Active | Standing::Managed | Standing::Caution => ListingStatus::Active,
        },
        sector: company.sector.map(Arc::from),
        market_cap: company.market_cap(),
        is_tradable: !matches!(standing, Standing::Suspended | Standing::Delisted),
        is_managed: standing == Standing::Managed,
        is_caution: standing == Standing::Caution,
    }
}
