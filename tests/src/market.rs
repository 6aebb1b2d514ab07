//! A market that the daily strategy has something to say of: seeded, with or without real bars.
//!
//! ```text
//! real sessions (krx-daily-2026.csv.gz) ─┐
//! or one seeded bar an issue ────────────┴─ reverse walk ─> bars of 250 sessions
//! character of an issue ─> figures, flows, disclosures, lists ─> files: as imported, as tables
//! ```
//!
//! 1. The same seed and the same real bars give the same market, byte for byte.
//! 2. An issue has one character for good: strong ones rise, are bought, earn; weak ones the opposite;
//!    hyped ones rise only. So the strategy finds a portfolio on each late session, and a SELL on some.
//! 3. Real bars stay as they are. An issue that is new in them is new: nothing is put before it.
//! 4. A tenth of the rows lacks something: figures of companies at random, flows for whole stretches
//!    (one missing in twenty sessions takes the side away), capitalisation, addresses.

mod bars;
mod changes;
mod companies;
mod disclosures;
mod figures;
mod files;
mod flows;

use std::path::Path;

use jiff::civil::{Date, date};

use turnstile_oracle::Dice;

pub use bars::MarketBar;
pub use changes::day_of;
pub use companies::{Character, Company, Standing, Wish};
pub use disclosures::Disclosed;
pub use figures::Figures;
pub use flows::NetFlow;

/// Last session where no real bar says another.
const LAST_DAY: Date = date(2026, 2, 20);
/// Sessions with a list of what is searched for most, the last ones.
const LISTED_SESSIONS: usize = 20;
/// Issues on such a list.
const LIST_LEN: usize = 120;

/// What kind of market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketShape {
    /// Sessions with bars.
    pub sessions: usize,
    /// Issues, where no real bar says how many.
    pub symbols: usize,
}

impl Default for MarketShape {
    fn default() -> Self {
        Self {
            sessions: 250,
            symbols: 2_907, // As many as the real file has.
        }
    }
}

/// Everything that is known of a market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeneratedMarket {
    /// Days with bars, in order.
    pub sessions: Vec<Date>,
    /// Issues by symbol.
    pub companies: Vec<Company>,
    /// What is searched for most: day, market, symbols from rank 1 on.
    pub popular: Vec<(Date, &'static str, Vec<String>)>,
}

impl GeneratedMarket {
    /// Returns the market of a seed. `real` is a file of daily bars that its last sessions are.
    ///
    /// # Panics
    /// A file that cannot be read.
    pub fn new(seed: u64, shape: MarketShape, real: Option<&Path>) -> Self {
        let known = match real {
            Some(file) => bars::read(file),
            None => bars::anchors(seed, shape.symbols, LAST_DAY),
        };
        let sessions = bars::sessions(&known, shape.sessions);
        let first_known = bars::first_day(&known);
        let mut companies = Vec::with_capacity(known.len());
        for (index, listed) in known.into_iter().enumerate() {
            let stream = u64::try_from(index).expect("few issues");
            let mut dice = Dice::new(seed, stream);
            companies.push(Company::new(
                listed,
                &sessions,
                first_known,
                index,
                &mut dice,
            ));
        }
        let popular = popular(seed, &sessions, &companies);
        Self {
            sessions,
            companies,
            popular,
        }
    }

    /// Returns the sessions with everything the strategy needs, the last twenty.
    pub fn late_sessions(&self) -> &[Date] {
        &self.sessions[self.sessions.len().saturating_sub(LISTED_SESSIONS)..]
    }

    /// Writes the files that `turnstile import` reads: daily.csv, sectors.csv, fundamentals.csv,
    /// flows.csv, disclosures.csv and rankings.csv.
    ///
    /// # Panics
    /// A folder that cannot be written.
    pub fn write_imports(&self, folder: &Path) {
        files::write_imports(self, folder);
    }

    /// Writes the tables as COPY would after those imports, as `tests/strategy/reference.py` reads
    /// them, with what no import tells: standing of the listings, and what is held and watched.
    ///
    /// # Panics
    /// A folder that cannot be written.
    pub fn write_tables(&self, folder: &Path) {
        files::write_tables(self, folder);
    }
}

fn popular(
    seed: u64,
    sessions: &[Date],
    companies: &[Company],
) -> Vec<(Date, &'static str, Vec<String>)> {
    let mut dice = Dice::new(seed, u64::MAX);
    let mut lists = Vec::new();
    for day in &sessions[sessions.len().saturating_sub(LISTED_SESSIONS)..] {
        for market in ["KOSPI", "KOSDAQ"] {
            let of_market = companies.iter().filter(|company| company.market == market);
            let mut symbols: Vec<_> = of_market.map(|company| company.symbol.clone()).collect();
            dice.shuffle(&mut symbols);
            symbols.truncate(LIST_LEN);
            lists.push((*day, market, symbols));
        }
    }
    lists
}
