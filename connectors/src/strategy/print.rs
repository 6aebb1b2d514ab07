//! Fingerprints of rows, and of all the rows that stand.
//!
//! The print of a set is the sum of the prints of its rows, so that it is kept up to date as rows come
//! and go, and does not depend on the order in which they came.

use sha2::{Digest, Sha256};
use turnstile_dataflows::model::Symbol;
use turnstile_strategy::{
    Bar, Change, Day, Disclosure, Flow, Fundamental, Instrument, Listing, ListingStatus, Wanted,
};

use crate::digest::hex;

/// Print of a row, or the sum of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Print([u64; 4]);

impl Print {
    /// Returns the print of a row that comes, with its key.
    pub(super) fn of(change: &Change) -> Self {
        let mut bytes = Bytes(Vec::with_capacity(96));
        bytes.change(change);
        let digest = Sha256::digest(&bytes.0);
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(digest.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().unwrap_or_default());
        }
        Self(words)
    }

    pub(super) fn add(&mut self, row: Self) {
        for (sum, word) in self.0.iter_mut().zip(row.0) {
            *sum = sum.wrapping_add(word);
        }
    }

    pub(super) fn take_away(&mut self, row: Self) {
        for (sum, word) in self.0.iter_mut().zip(row.0) {
            *sum = sum.wrapping_sub(word);
        }
    }

    /// Returns the digest of a day: SHA-256 over the rows that stand, the day, and the version of the
    /// program, whose rules may differ from those of another one.
    pub(super) fn digest(&self, day: Day) -> String {
        let mut sha256 = Sha256::new();
        sha256.update(env!("CARGO_PKG_VERSION"));
        sha256.update(day.0.to_le_bytes());
        for word in self.0 {
            sha256.update(word.to_le_bytes());
        }
        hex(&sha256.finalize())
    }
}

/// Rows as bytes: no two different ones have the same.
struct Bytes(Vec<u8>);

impl Bytes {
    fn change(&mut self, change: &Change) {
        match change {
            Change::AsOf(day) => self.tag(0).day(*day),
            // A struct of numbers has one JSON text, by the order of its fields.
            Change::Settings(settings) => self
                .tag(1)
                .text(&serde_json::to_string(settings).unwrap_or_default()),
            Change::Listing(symbol, row) => self.tag(2).symbol(*symbol).row(row, Self::listing),
            Change::Wanted(symbol, row) => self.tag(3).symbol(*symbol).row(row, Self::wanted),
            Change::Popular(symbol, row) => self.tag(4).symbol(*symbol).row(row, |bytes, rank| {
                bytes.whole((*rank).into());
            }),
            Change::Bar(symbol, day, row) => {
                self.tag(5).symbol(*symbol).day(*day).row(row, Self::bar)
            }
            Change::Fundamental(symbol, day, row) => {
                let key = self.tag(6).symbol(*symbol).day(*day);
                key.row(row, Self::fundamental)
            }
            Change::Flow(symbol, day, row) => {
                self.tag(7).symbol(*symbol).day(*day).row(row, Self::flow)
            }
            Change::Disclosure(number, row) => self.tag(8).text(number).row(row, Self::disclosure),
        };
    }

    fn row<T>(&mut self, row: &Option<T>, write: impl FnOnce(&mut Self, &T)) -> &mut Self {
        self.tag(row.is_some().into());
        if let Some(row) = row {
            write(self, row);
        }
        self
    }

    fn listing(&mut self, row: &Listing) {
        let instrument = match row.instrument {
            Instrument::Stock => 0,
            Instrument::Etf => 1,
            Instrument::Etn => 2,
            Instrument::Unknown => 3,
        };
        let status = match row.status {
            ListingStatus::Active => 0,
            ListingStatus::Suspended => 1,
            ListingStatus::Delisted => 2,
        };
        self.text(&row.name)
            .text(row.market.name())
            .tag(instrument)
            .tag(status)
            .row(&row.sector, |bytes, sector| {
                bytes.text(sector);
            })
            .number(row.market_cap);
        for flag in [row.is_tradable, row.is_managed, row.is_caution] {
            self.tag(flag.into());
        }
    }

    fn wanted(&mut self, row: &Wanted) {
        self.tag(match row {
            Wanted::Holding => 0,
            Wanted::Watchlist => 1,
        });
    }

    fn bar(&mut self, row: &Bar) {
        for number in [
            row.open, row.high, row.low, row.close, row.volume, row.value,
        ] {
            self.whole(number);
        }
        self.number(row.market_cap);
    }

    fn fundamental(&mut self, row: &Fundamental) {
        for figure in [row.per, row.pbr, row.psr, row.roe, row.debt_ratio] {
            self.row(&figure, |bytes, figure| {
                bytes.0.extend_from_slice(&figure.normalize().serialize());
            });
        }
    }

    fn flow(&mut self, row: &Flow) {
        self.number(row.foreign).number(row.institution);
    }

    fn disclosure(&mut self, row: &Disclosure) {
        self.symbol(row.symbol).day(row.day).text(&row.title);
    }

    fn tag(&mut self, tag: u8) -> &mut Self {
        self.0.push(tag);
        self
    }

    fn symbol(&mut self, symbol: Symbol) -> &mut Self {
        self.0.extend_from_slice(&symbol.to_bits().to_le_bytes());
        self
    }

    fn day(&mut self, day: Day) -> &mut Self {
        self.0.extend_from_slice(&day.0.to_le_bytes());
        self
    }

    fn whole(&mut self, number: i64) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn number(&mut self, number: Option<i64>) -> &mut Self {
        self.row(&number, |bytes, number| {
            bytes.whole(*number);
        })
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.whole(i64::try_from(text.len()).unwrap_or(i64::MAX));
        self.0.extend_from_slice(text.as_bytes());
        self
    }
}
