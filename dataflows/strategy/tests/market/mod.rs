//! A small market from a seed, and edits of it.
#![expect(
    unreachable_pub,
    reason = "a module of a test binary, which is its own crate"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use turnstile_dataflows::model::Symbol;
use turnstile_strategy::{
    Bar, Change, Day, Disclosure, Flow, Fundamental, Instrument, Listing, ListingStatus, Market,
    Session, Settings, Wanted,
};

pub const SYMBOLS: u64 = 24;
/// Sessions that every symbol has a bar of at first.
const SESSIONS: u32 = 126;
/// The first day; two of seven days are no sessions.
const FIRST: u32 = 20_000;

const TITLES: [&str; 8] = [
    "영업이익 증가",
    "3분기 적자 전환",
    "자기주식 취득 결정",
    "소송 등의 제기",
    "현금 배당 결정",
    "단일판매·공급계약 체결",
    "특허권 취득",
    "합병 결정 철회",
];

/// All rows that stand.
#[derive(Default)]
pub struct Rows {
    as_of: Option<Day>,
    settings: Option<Settings>,
    listings: BTreeMap<Symbol, Listing>,
    wanted: BTreeMap<Symbol, Wanted>,
    popular: BTreeMap<Symbol, u32>,
    bars: BTreeMap<(Symbol, Day), Bar>,
    fundamentals: BTreeMap<(Symbol, Day), Fundamental>,
    flows: BTreeMap<(Symbol, Day), Flow>,
    disclosures: BTreeMap<Arc<str>, Disclosure>,
}

/// A generator of random numbers (SplitMix64).
pub struct Random(pub u64);

impl Random {
    /// Below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % bound
    }

    fn signed(&mut self, most: u64) -> i64 {
        let number = i64::try_from(self.below(2 * most + 1)).unwrap();
        number - i64::try_from(most).unwrap()
    }

    fn number(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap()
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(u64::try_from(of.len()).unwrap())).unwrap()].clone()
    }

    fn some<T>(&mut self, row: T) -> Option<T> {
        self.chance(85).then_some(row)
    }
}

pub fn symbol(number: u64) -> Symbol {
    format!("{number:06}").parse().unwrap()
}

/// The day of a session, from 0.
pub fn session(number: u32) -> Day {
    Day(FIRST + number / 5 * 7 + number % 5)
}

/// The newest session.
pub fn today() -> Day {
    session(SESSIONS - 1)
}

/// Limits under which a market of some dozens of symbols has something on every stage.
pub fn settings() -> Settings {
    Settings {
        market_cap_min: 20_000_000_000,
        value_min: 50_000_000,
        volume_min: 5_000,
        list_len: 2,
        universe_min: 6,
        buy_min: 56,
        sell_max: 44,
        conviction_min: 25,
        signals_max: 7,
        selected_max: 5,
        total_min: 45,
        volatility_max: 60,
        liquidity_min: 80_000_000,
        names_max: 4,
        names_min: 3,
        ..Settings::default()
    }
}

impl Rows {
    /// Takes a row in, in the place of the one with its key.
    pub fn apply(&mut self, change: Change) {
        fn put<K: Ord, V>(rows: &mut BTreeMap<K, V>, key: K, row: Option<V>) {
            match row {
                Some(row) => drop(rows.insert(key, row)),
                None => drop(rows.remove(&key)),
            }
        }
        match change {
            Change::AsOf(day) => self.as_of = Some(day),
            Change::Settings(settings) => self.settings = Some(settings),
            Change::Listing(symbol, row) => put(&mut self.listings, symbol, row),
            Change::Wanted(symbol, row) => put(&mut self.wanted, symbol, row),
            Change::Popular(symbol, row) => put(&mut self.popular, symbol, row),
            Change::Bar(symbol, day, row) => put(&mut self.bars, (symbol, day), row),
            Change::Fundamental(symbol, day, row) => {
                put(&mut self.fundamentals, (symbol, day), row);
            }
            Change::Flow(symbol, day, row) => put(&mut self.flows, (symbol, day), row),
            Change::Disclosure(number, row) => put(&mut self.disclosures, number, row),
        }
    }

    /// Gives all rows to a session.
    pub fn load(&self, session: &mut Session<'_>) {
        let Self {
            as_of,
            settings,
            listings,
            wanted,
            popular,
            bars,
            fundamentals,
            flows,
            disclosures,
        } = self;
        for (symbol, day, bar) in bars
            .iter()
            .map(|((symbol, day), row)| (*symbol, *day, *row))
        {
            session.apply(Change::Bar(symbol, day, Some(bar)));
        }
        for ((symbol, day), row) in flows {
            session.apply(Change::Flow(*symbol, *day, Some(*row)));
        }
        for ((symbol, day), row) in fundamentals {
            session.apply(Change::Fundamental(*symbol, *day, Some(*row)));
        }
        for (number, row) in disclosures {
            session.apply(Change::Disclosure(number.clone(), Some(row.clone())));
        }
        for (symbol, row) in listings {
            session.apply(Change::Listing(*symbol, Some(row.clone())));
        }
        for (symbol, row) in wanted {
            session.apply(Change::Wanted(*symbol, Some(*row)));
        }
        for (symbol, rank) in popular {
            session.apply(Change::Popular(*symbol, Some(*rank)));
        }
        as_of
            .iter()
            .for_each(|day| session.apply(Change::AsOf(*day)));
        let settings = settings.iter().cloned();
        settings.for_each(|row| session.apply(Change::Settings(row)));
    }

    /// A market in which most symbols have all that factors need.
    pub fn generate(random: &mut Random) -> Self {
        let mut rows = Self {
            as_of: Some(today()),
            settings: Some(settings()),
            ..Self::default()
        };
        for number in 0..SYMBOLS {
            let symbol = symbol(number);
            rows.listings.insert(symbol, listing(random));
            let drift = random.signed(6);
            let mut won = 5_000 + random.number(50_000);
            for number in 0..SESSIONS {
                won = (won + won * (drift + random.signed(15)) / 1_000).max(100);
                rows.bars
                    .insert((symbol, session(number)), bar(random, won));
                if number + 23 > SESSIONS {
                    let flow = flow(random, drift * 20_000);
                    rows.flows.insert((symbol, session(number)), flow);
                }
            }
            for _ in 0..random.below(3) {
                let day = session(SESSIONS - 1 - u32::try_from(random.below(60)).unwrap());
                rows.fundamentals.insert((symbol, day), fundamental(random));
            }
        }
        for _ in 0..SYMBOLS * 2 {
            rows.apply(disclosure_edit(random));
        }
        rows
    }
}

/// Any one row comes, changes or goes.
pub fn edit(random: &mut Random) -> Change {
    let symbol = symbol(random.below(SYMBOLS + 1));
    match random.below(20) {
        0..=6 => {
            let won = 5_000 + random.number(50_000);
            let bar = bar(random, won);
            Change::Bar(symbol, near_day(random), random.some(bar))
        }
        7..=9 => {
            let flow = flow(random, 0);
            Change::Flow(symbol, near_day(random), random.some(flow))
        }
        10 | 11 => {
            let row = fundamental(random);
            Change::Fundamental(symbol, near_day(random), random.some(row))
        }
        12 | 13 => disclosure_edit(random),
        14 | 15 => {
            let row = listing(random);
            Change::Listing(symbol, random.some(row))
        }
        16 => {
            let wanted = random.pick(&[Wanted::Holding, Wanted::Watchlist]);
            Change::Wanted(symbol, random.some(wanted))
        }
        17 => {
            let rank = u32::try_from(random.below(9)).unwrap();
            Change::Popular(symbol, random.some(rank))
        }
        18 => Change::AsOf(near_day(random)),
        _ => Change::Settings(changed_settings(random)),
    }
}

/// Most often the newest session, else one around it.
fn near_day(random: &mut Random) -> Day {
    if random.chance(50) {
        return today();
    }
    session(SESSIONS + 2 - u32::try_from(random.below(12)).unwrap())
}

fn listing(random: &mut Random) -> Listing {
    let usual = |random: &mut Random| random.chance(90);
    Listing {
        name: random
            .pick(&["삼성", "현대", "한화", "엘지", "하나29호스팩"])
            .into(),
        market: if usual(random) {
            random.pick(&[Market::Kospi, Market::Kosdaq])
        } else {
            random.pick(&[Market::Konex, Market::Unknown])
        },
        instrument: if usual(random) {
            Instrument::Stock
        } else {
            random.pick(&[Instrument::Etf, Instrument::Etn, Instrument::Unknown])
        },
        status: if usual(random) {
            ListingStatus::Active
        } else {
            random.pick(&[ListingStatus::Suspended, ListingStatus::Delisted])
        },
        sector: random.pick(&[
            None,
            Some("IT".into()),
            Some("은행".into()),
            Some("화학".into()),
        ]),
        market_cap: random.pick(&[None, Some(15_000_000_000), Some(900_000_000_000)]),
        is_tradable: random.chance(97),
        is_managed: random.chance(3),
        is_caution: random.chance(3),
    }
}

fn bar(random: &mut Random, won: i64) -> Bar {
    let close = won * 10_000;
    let is_halted = random.chance(2);
    let price = if is_halted { 0 } else { close };
    let volume = if is_halted || random.chance(1) {
        0
    } else {
        3_000 + random.number(40_000)
    };
    Bar {
        open: price,
        high: price,
        low: price,
        close,
        volume,
        value: volume * won,
        market_cap: random.chance(80).then(|| won * 4_000_000),
    }
}

fn flow(random: &mut Random, lean: i64) -> Flow {
    let mut side = || (lean + random.signed(150_000), random.chance(99));
    let (foreign, institution) = (side(), side());
    Flow {
        foreign: foreign.1.then_some(foreign.0),
        institution: institution.1.then_some(institution.0),
    }
}

fn fundamental(random: &mut Random) -> Fundamental {
    let mut ratio = |least: i64, bound: u64, scale| {
        let number = Decimal::new(least + random.number(bound), scale);
        random.chance(80).then_some(number)
    };
    Fundamental {
        per: ratio(-200, 3_000, 2),
        pbr: ratio(10, 300, 2),
        psr: ratio(10, 300, 2),
        roe: ratio(-50, 350, 3),
        debt_ratio: ratio(100, 2_500, 3),
    }
}

/// A disclosure comes, changes or goes; several have the same day and title.
fn disclosure_edit(random: &mut Random) -> Change {
    let number = format!("{:014}", random.below(80));
    let disclosure = Disclosure {
        symbol: symbol(random.below(SYMBOLS)),
        day: near_day(random),
        title: random.pick(&TITLES).into(),
    };
    Change::Disclosure(number.into(), random.some(disclosure))
}

fn changed_settings(random: &mut Random) -> Settings {
    let usual = settings();
    match random.below(8) {
        0 => Settings {
            value_min: 200_000_000,
            ..usual
        },
        1 => Settings {
            list_len: 5,
            ..usual
        },
        2 => Settings {
            universe_min: 16,
            ..usual
        },
        3 => Settings {
            buy_min: 62,
            sell_max: 48,
            ..usual
        },
        4 => Settings {
            signals_max: 3,
            ..usual
        },
        5 => Settings {
            total_min: 55,
            volatility_max: 30,
            ..usual
        },
        6 => Settings {
            names_min: 2,
            name_cap: 300_000,
            min_cash: 0,
            ..usual
        },
        _ => usual,
    }
}
