//! An issue with everything that is known of it.

use jiff::civil::Date;

use super::bars::{Listed, MarketBar, is_calm, walk};
use super::disclosures::{self, Disclosed};
use super::figures::{self, Figures};
use super::flows::{self, NetFlow};
use turnstile_oracle::Dice;

const SECTORS: [&str; 20] = [
    "전기·전자",
    "화학",
    "제약",
    "금속",
    "기계·장비",
    "운송장비·부품",
    "유통",
    "건설",
    "운송·창고",
    "금융",
    "증권",
    "보험",
    "통신",
    "IT 서비스",
    "음식료·담배",
    "섬유·의류",
    "의료·정밀기기",
    "오락·문화",
    "전기·가스",
    "일반서비스",
];

/// What an issue is like, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Character {
    /// Rises, is bought, earns.
    Strong,
    /// Neither.
    Plain,
    /// Falls, is sold, loses.
    Weak,
    /// Rises on good news alone: is sold and loses. A SELL needs high factors among low ones.
    Hyped,
}

/// How a listing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Traded.
    Active,
    /// Trading suspended.
    Suspended,
    /// Listed no more.
    Delisted,
    /// Under administration.
    Managed,
    /// Under a caution.
    Caution,
}

/// Whether somebody wants the issue looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It is held.
    Holding,
    /// It is on the watchlist.
    Watchlist,
}

/// An issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its symbol.
    pub symbol: String,
    /// Its name.
    pub name: String,
    /// KOSPI, KOSDAQ or KONEX.
    pub market: &'static str,
    /// Section of the market, if any.
    pub segment: Option<String>,
    /// Sector, if told.
    pub sector: Option<&'static str>,
    /// What it is like.
    pub character: Character,
    /// How its listing stands.
    pub standing: Standing,
    /// Who wants it.
    pub wish: Option<Wish>,
    /// Bars, in order.
    pub bars: Vec<MarketBar>,
    /// Figures, in order of the day from which they are known.
    pub figures: Vec<Figures>,
    /// Flows, in order.
    pub flows: Vec<NetFlow>,
    /// Disclosures, in order.
    pub disclosures: Vec<Disclosed>,
}

impl Company {
    /// Returns the capitalisation of the latest bar, as the import of bars stores it of the issue.
    pub fn market_cap(&self) -> Option<i64> {
        let (cap, _shares) = self.bars.last()?.size?;
        Some(cap)
    }

    /// Returns the issue number `index`, with bars before those given unless it is new in them.
    pub(super) fn new(
        listed: Listed,
        sessions: &[Date],
        first_known: Date,
        index: usize,
        dice: &mut Dice,
    ) -> Self {
        // The strategy selects nobody who moves too much, however strong. In a real market such issues
        // have risen most: were they not sold, they would take the places of those it can select.
        let [strong, plain, weak, hyped] = if is_calm(&listed.bars) {
            [50, 30, 13, 7]
        } else {
            [0, 20, 40, 40]
        };
        let character = dice.weighted(&[
            (strong, Character::Strong),
            (plain, Character::Plain),
            (weak, Character::Weak),
            (hyped, Character::Hyped),
        ]);
        let first = listed.bars[0].day;
        let before = sessions.partition_point(|day| *day < first);
        let mut bars = if first == first_known {
            walk(&listed.bars, &sessions[..before], character, dice)
        } else {
            Vec::new()
        };
        bars.extend(listed.bars);
        let figures = figures::generate(&bars, character, dice);
        let flows = flows::generate(&bars, character, dice);
        let disclosures = disclosures::generate(&listed.symbol, sessions, character, index, dice);
        Self {
            sector: (!dice.percent(5)).then(|| dice.pick(&SECTORS)),
            standing: dice.weighted(&[
                (965, Standing::Active),
                (5, Standing::Suspended),
                (5, Standing::Delisted),
                (15, Standing::Managed),
                (10, Standing::Caution),
            ]),
            wish: dice.weighted(&[
                (990, None),
                (5, Some(Wish::Holding)),
                (5, Some(Wish::Watchlist)),
            ]),
            symbol: listed.symbol,
            name: listed.name,
            market: listed.market,
            segment: listed.segment,
            character,
            bars,
            figures,
            flows,
            disclosures,
        }
    }
}
