//! The filters of the universe, and what a listing stands on the lists with.
//!
//! Source: `docs/strategy.md`, section 1.

use serde::{Deserialize, Serialize};
use turnstile_dataflows::model::Symbol;

use crate::figures::Statistics;
use crate::limits::ScreenLimits;
use crate::measure::Measure;
use crate::{
    Exclusion, Instrument, Listing, ListingStatus, Market, RankingList, Tier, UniverseRow, Wanted,
};

/// A listing after the filters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Screened {
    /// LISTED where one of the lists may say more.
    pub(super) row: UniverseRow,
    /// Goes on to factors.
    pub(super) is_evaluated: bool,
    /// Has a bar of the day.
    pub(super) has_bar: bool,
    /// What it is on the lists with, where it may be there at all.
    pub(super) measures: Vec<(RankingList, Measure)>,
}

/// Screens a listing. `popular` is its rank in the imported list.
pub(super) fn screen(
    limits: &ScreenLimits,
    symbol: Symbol,
    listing: &Listing,
    statistics: &Statistics,
    wanted: Option<Wanted>,
    popular: Option<u32>,
) -> Screened {
    let market_cap = statistics.market_cap.or(listing.market_cap);
    let is_watched = wanted == Some(Wanted::Watchlist);
    let exclusion = |is_watched| exclusion(limits, listing, statistics, market_cap, is_watched);
    let tier = match wanted {
        Some(Wanted::Holding) => Ok(Tier::Holding),
        Some(Wanted::Watchlist) => exclusion(is_watched).map_or(Ok(Tier::Watchlist), Err),
        None => exclusion(false).map_or(Ok(Tier::Listed), Err),
    };
    // A place on a list takes what its tier asks for, whatever else keeps a symbol in the universe.
    let measures = if exclusion(false).is_none() {
        measures(statistics, market_cap, popular)
    } else {
        Vec::new()
    };
    Screened {
        is_evaluated: tier.is_ok()
            && is_main(listing.market)
            && listing.instrument == Instrument::Stock,
        row: UniverseRow {
            symbol,
            tier,
            market: listing.market,
            sector: listing.sector.clone(),
            market_cap,
            volume: statistics.volume,
            value: statistics.value,
        },
        has_bar: statistics.today.is_some(),
        measures,
    }
}

/// Whether a market is one of those that are invested in.
pub(super) fn is_main(market: Market) -> bool {
    matches!(market, Market::Kospi | Market::Kosdaq)
}

/// The first filter that fails.
fn exclusion(
    limits: &ScreenLimits,
    listing: &Listing,
    statistics: &Statistics,
    market_cap: Option<i64>,
    is_watched: bool,
) -> Option<Exclusion> {
    let is_fund = matches!(listing.instrument, Instrument::Etf | Instrument::Etn);
    let is_below = |number: Option<i64>, least| number.is_none_or(|number| number < least);
    let filters = [
        (Exclusion::Market, !is_main(listing.market)),
        (
            Exclusion::Instrument,
            listing.instrument != Instrument::Stock && !(is_watched && is_fund),
        ),
        (Exclusion::Name, !is_watched && is_shell(&listing.name)),
        (
            Exclusion::Status,
            listing.status != ListingStatus::Active || !listing.is_tradable,
        ),
        (Exclusion::Managed, listing.is_managed),
        (Exclusion::Caution, listing.is_caution),
        (
            Exclusion::Halted,
            statistics.today.is_none_or(|today| !today.is_traded),
        ),
        (
            Exclusion::MarketCap,
            is_below(market_cap, limits.market_cap_min),
        ),
        (
            Exclusion::Value,
            is_below(statistics.value, limits.value_min),
        ),
        (
            Exclusion::Volume,
            is_below(statistics.volume, limits.volume_min),
        ),
    ];
    let first = filters.into_iter().find(|(_exclusion, fails)| *fails);
    first.map(|(exclusion, _fails)| exclusion)
}

/// Whether a company was made to acquire another one (기업인수목적회사).
fn is_shell(name: &str) -> bool {
    name.contains("스팩") || name.to_ascii_uppercase().contains("SPAC")
}

/// What a symbol is sorted by on each list, the higher the better; a missing figure keeps it off.
fn measures(
    statistics: &Statistics,
    market_cap: Option<i64>,
    popular: Option<u32>,
) -> Vec<(RankingList, Measure)> {
    let today = statistics.today;
    let measures = [
        (
            RankingList::VolumeSurge,
            today.and_then(|today| today.surge),
        ),
        (
            RankingList::Value,
            today.map(|today| Measure::whole(today.value)),
        ),
        (RankingList::Gainers, today.and_then(|today| today.gain)),
        (
            RankingList::Popular,
            popular.map(|rank| Measure::whole(-i64::from(rank))),
        ),
        (RankingList::MarketCap, market_cap.map(Measure::whole)),
    ];
    let known = measures.into_iter();
    known
        .filter_map(|(list, measure)| Some((list, measure?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::figures::Today;

    const LIMITS: ScreenLimits = ScreenLimits {
        market_cap_min: 10_000_000_000,
        value_min: 1_000_000_000,
        volume_min: 100_000,
    };

    fn listing() -> Listing {
        Listing {
            name: "삼성전자".into(),
            market: Market::Kospi,
            instrument: Instrument::Stock,
            status: ListingStatus::Active,
            sector: Some("IT".into()),
            market_cap: Some(10_000_000_000),
            is_tradable: true,
            is_managed: false,
            is_caution: false,
        }
    }

    fn statistics() -> Statistics {
        Statistics {
            volume: Some(100_000),
            value: Some(1_000_000_000),
            market_cap: None,
            today: Some(Today {
                is_traded: true,
                value: 5,
                surge: Measure::ratio(3, 2),
                gain: None,
            }),
        }
    }

    fn screened(listing: &Listing, statistics: &Statistics, wanted: Option<Wanted>) -> Screened {
        let symbol = "005930".parse().unwrap();
        screen(&LIMITS, symbol, listing, statistics, wanted, Some(7))
    }

    #[test]
    fn limits_are_inclusive() {
        let screened = screened(&listing(), &statistics(), None);
        assert_eq!(screened.row.tier, Ok(Tier::Listed));
        assert!(screened.is_evaluated && screened.has_bar);
        let expected = [
            (RankingList::VolumeSurge, Measure::ratio(3, 2).unwrap()),
            (RankingList::Value, Measure::whole(5)),
            (RankingList::Popular, Measure::whole(-7)),
            (RankingList::MarketCap, Measure::whole(10_000_000_000)),
        ];
        assert_eq!(screened.measures, expected);
    }

    #[rstest]
    #[case(Listing { market: Market::Konex, ..listing() }, Exclusion::Market)]
    #[case(Listing { instrument: Instrument::Unknown, ..listing() }, Exclusion::Instrument)]
    #[case(Listing { instrument: Instrument::Etf, ..listing() }, Exclusion::Instrument)]
    #[case(Listing { name: "하나29호스팩".into(), ..listing() }, Exclusion::Name)]
    #[case(Listing { name: "Some Spac 1".into(), ..listing() }, Exclusion::Name)]
    #[case(Listing { status: ListingStatus::Suspended, ..listing() }, Exclusion::Status)]
    #[case(Listing { is_tradable: false, is_managed: true, ..listing() }, Exclusion::Status)]
    #[case(Listing { is_managed: true, is_caution: true, ..listing() }, Exclusion::Managed)]
    #[case(Listing { is_caution: true, ..listing() }, Exclusion::Caution)]
    #[case(Listing { market_cap: None, ..listing() }, Exclusion::MarketCap)]
    #[case(Listing { market_cap: Some(9_999_999_999), ..listing() }, Exclusion::MarketCap)]
    fn a_listing_is_excluded(#[case] listing: Listing, #[case] exclusion: Exclusion) {
        let screened = screened(&listing, &statistics(), None);
        assert_eq!(screened.row.tier, Err(exclusion));
        assert!(!screened.is_evaluated);
        assert!(screened.measures.is_empty());
    }

    #[rstest]
    #[case(Statistics { today: None, ..statistics() }, Exclusion::Halted)]
    #[case(Statistics { market_cap: Some(1), ..statistics() }, Exclusion::MarketCap)]
    #[case(Statistics { value: Some(999_999_999), ..statistics() }, Exclusion::Value)]
    #[case(Statistics { value: None, volume: None, ..statistics() }, Exclusion::Value)]
    #[case(Statistics { volume: Some(99_999), ..statistics() }, Exclusion::Volume)]
    fn its_bars_exclude_it(#[case] statistics: Statistics, #[case] exclusion: Exclusion) {
        let screened = screened(&listing(), &statistics, None);
        assert_eq!(screened.row.tier, Err(exclusion));
    }

    #[test]
    fn a_holding_is_never_filtered() {
        let listing = Listing {
            status: ListingStatus::Suspended,
            is_managed: true,
            ..listing()
        };
        let screened = screened(&listing, &Statistics::default(), Some(Wanted::Holding));
        assert_eq!(screened.row.tier, Ok(Tier::Holding));
        assert!(screened.is_evaluated);
        assert!(screened.measures.is_empty());
    }

    #[test]
    fn what_is_watched_may_be_a_fund_or_a_shell() {
        let fund = Listing {
            instrument: Instrument::Etn,
            ..listing()
        };
        let watched = |listing: &Listing| screened(listing, &statistics(), Some(Wanted::Watchlist));
        let screened = watched(&fund);
        assert_eq!(screened.row.tier, Ok(Tier::Watchlist));
        assert!(!screened.is_evaluated && screened.measures.is_empty());
        let shell = Listing {
            name: "하나29호스팩".into(),
            ..listing()
        };
        assert_eq!(watched(&shell).row.tier, Ok(Tier::Watchlist));
        let managed = Listing {
            is_managed: true,
            ..listing()
        };
        assert_eq!(watched(&managed).row.tier, Err(Exclusion::Managed));
    }
}
