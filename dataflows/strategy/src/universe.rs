//! Universe: who is looked at, and whether enough is known of the day at all.
//!
//! ```text
//! listings, statistics, wanted, popular, limits ─> screened by symbol ─┬─> lists by market ─┐
//!                                                                      ├────────────────────┴─> rows
//!                                                                      ├─> members
//!                                                                      └─> counts ─> publication
//! ```
//!
//! Keeps what is said of each listing, its row twice, and up to five places on lists of each that
//! passes.

mod screen;

use std::cmp::Reverse;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use turnstile_dataflows::Rows;
use turnstile_dataflows::model::Symbol;

use crate::figures::Statistics;
use crate::limits::ScreenLimits;
use crate::measure::Measure;
use crate::{Listing, Market, NoPortfolio, RankingList, Settings, Tier, UniverseRow, Wanted};
use screen::{Screened, is_main, screen};

/// What the universe is made from.
pub(crate) struct UniverseInputs<'s> {
    /// Listings that are not delisted.
    pub(crate) listings: Rows<'s, (Symbol, Listing)>,
    /// Of each of them, once the day is known.
    pub(crate) statistics: Rows<'s, (Symbol, Statistics)>,
    /// For each of them.
    pub(crate) limits: Rows<'s, (Symbol, ScreenLimits)>,
    pub(crate) wanted: Rows<'s, (Symbol, Wanted)>,
    pub(crate) popular: Rows<'s, (Symbol, u32)>,
    pub(crate) settings: Rows<'s, Settings>,
}

/// What follows.
pub(crate) struct Universe<'s> {
    pub(crate) rows: Rows<'s, UniverseRow>,
    /// Those that go on to factors.
    pub(crate) members: Rows<'s, (Symbol, Member)>,
    /// Always one row: whether the universe is published, or why not.
    pub(crate) publication: Rows<'s, Publication>,
}

/// Whether a universe is published.
pub(crate) type Publication = Result<(), NoPortfolio>;

/// What a symbol that goes on to factors is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) market: Market,
    pub(crate) sector: Option<Arc<str>>,
}

/// What is said of a listing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Fact {
    Limits(ScreenLimits),
    Listing(Listing),
    Statistics(Statistics),
    Wanted(Wanted),
    Popular(u32),
}

/// What is known of a list of a market.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Place {
    /// Symbols that it has at most.
    Most(u32),
    /// The best first, ties to the lower symbol.
    Symbol(Reverse<Measure>, Symbol),
}

/// What tells the tier of a symbol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Standing {
    Screened(UniverseRow),
    /// On this list; the first one counts.
    Listed(RankingList),
}

/// What is counted for the publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Counted {
    Passed,
    WithBar,
    Listed,
}

/// What the publication depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Condition {
    UniverseMin(u32),
    Count(Counted, isize),
}

/// Renders the universe.
pub(crate) fn render(inputs: UniverseInputs<'_>) -> Universe<'_> {
    let settings = inputs.settings.clone();
    let screened = screened(inputs);
    let standings = listed(&settings, &screened)
        .map(|(symbol, list)| (symbol, Standing::Listed(list)))
        .concat(screened.clone().map(|screened| {
            let row = screened.row;
            (row.symbol, Standing::Screened(row))
        }));
    let rows = standings
        .reduce_named("universe: tier by symbol", |_symbol, standings, output| {
            // Sorted: the row, then the lists in their order.
            let Some((Standing::Screened(row), _count)) = standings.first() else {
                return;
            };
            let mut row = row.clone();
            if let (Ok(Tier::Listed), Some((Standing::Listed(list), _count))) =
                (row.tier, standings.get(1))
            {
                row.tier = Ok(Tier::Ranking(*list));
            }
            output.push((row, 1));
        })
        .map(|(_symbol, row)| row);
    let publication = publication(&settings, &screened);
    let members = screened
        .filter(|screened| screened.is_evaluated)
        .map(|screened| {
            let Screened { row, .. } = screened;
            let member = Member {
                market: row.market,
                sector: row.sector,
            };
            (row.symbol, member)
        });
    Universe {
        rows,
        members,
        publication,
    }
}

/// Each listing after the filters.
fn screened(inputs: UniverseInputs<'_>) -> Rows<'_, Screened> {
    let listings = inputs
        .listings
        .map(|(symbol, row)| (symbol, Fact::Listing(row)));
    let facts = listings.concatenate([
        inputs
            .limits
            .map(|(symbol, row)| (symbol, Fact::Limits(row))),
        inputs
            .statistics
            .map(|(symbol, row)| (symbol, Fact::Statistics(row))),
        inputs
            .wanted
            .map(|(symbol, row)| (symbol, Fact::Wanted(row))),
        inputs
            .popular
            .map(|(symbol, row)| (symbol, Fact::Popular(row))),
    ]);
    facts
        .reduce_named("universe: screened by symbol", |symbol, facts, output| {
            let (mut limits, mut listing, mut statistics) = (None, None, None);
            let (mut wanted, mut popular) = (None, None);
            for (fact, _count) in facts {
                match fact {
                    Fact::Limits(row) => limits = Some(row),
                    Fact::Listing(row) => listing = Some(row),
                    Fact::Statistics(row) => statistics = Some(row),
                    Fact::Wanted(row) => wanted = Some(*row),
                    Fact::Popular(rank) => popular = Some(*rank),
                }
            }
            if let (Some(limits), Some(listing), Some(statistics)) = (limits, listing, statistics) {
                let screened = screen(limits, *symbol, listing, statistics, wanted, popular);
                output.push((screened, 1));
            }
        })
        .map(|(_symbol, screened)| screened)
}

/// Who is on which list.
fn listed<'s>(
    settings: &Rows<'s, Settings>,
    screened: &Rows<'s, Screened>,
) -> Rows<'s, (Symbol, RankingList)> {
    let places = screened.clone().flat_map(|screened| {
        let UniverseRow { market, symbol, .. } = screened.row;
        let place =
            move |(list, measure)| ((market, list), Place::Symbol(Reverse(measure), symbol));
        screened.measures.into_iter().map(place)
    });
    let most = settings.clone().map(|settings| settings.list_len);
    let most = most.flat_map(|len| {
        let of_market = move |market| {
            RankingList::ALL
                .into_iter()
                .map(move |list| ((market, list), Place::Most(len)))
        };
        [Market::Kospi, Market::Kosdaq]
            .into_iter()
            .flat_map(of_market)
    });
    places
        .concat(most)
        .reduce_named("universe: first of each list", |_list, places, output| {
            let Some(((Place::Most(most), _count), places)) = places.split_first() else {
                return;
            };
            let most = usize::try_from(*most).unwrap_or(usize::MAX);
            output.extend(
                places
                    .iter()
                    .take(most)
                    .filter_map(|(place, _count)| match place {
                        Place::Most(_most) => None,
                        Place::Symbol(_measure, symbol) => Some((*symbol, 1)),
                    }),
            );
        })
        .map(|((_market, list), symbol)| (symbol, list))
}

/// Whether enough symbols pass, and at least half of the listings have a bar of the day.
fn publication<'s>(
    settings: &Rows<'s, Settings>,
    screened: &Rows<'s, Screened>,
) -> Rows<'s, Publication> {
    let counts = screened.clone().flat_map(|screened| {
        let is_main = is_main(screened.row.market);
        [
            (Counted::Passed, screened.row.tier.is_ok()),
            (Counted::WithBar, is_main && screened.has_bar),
            (Counted::Listed, is_main),
        ]
        .into_iter()
        .filter_map(|(counted, counts)| counts.then_some(counted))
    });
    let conditions = counts
        .count()
        .map(|(counted, count)| ((), Condition::Count(counted, count)));
    let least = settings.clone().map(|settings| settings.universe_min);
    conditions
        .concat(least.map(|least| ((), Condition::UniverseMin(least))))
        .reduce_named("universe: publication", |(), conditions, output| {
            let (mut passed, mut with_bar, mut listed) = (0, 0, 0);
            let mut least = 0;
            for (condition, _count) in conditions {
                let (place, count) = match condition {
                    Condition::UniverseMin(min) => (&mut least, Some(*min)),
                    Condition::Count(counted, count) => {
                        let place = match counted {
                            Counted::Passed => &mut passed,
                            Counted::WithBar => &mut with_bar,
                            Counted::Listed => &mut listed,
                        };
                        (place, u32::try_from(*count).ok())
                    }
                };
                *place = count.unwrap_or(u32::MAX);
            }
            let is_covered = listed > 0 && u64::from(with_bar) * 2 >= u64::from(listed);
            let publication = if passed >= least && is_covered {
                Ok(())
            } else {
                Err(NoPortfolio::Universe {
                    passed,
                    with_bar,
                    listed,
                })
            };
            output.push((publication, 1));
        })
        .map(|((), publication)| publication)
}
