//! Names of the database for what the strategy says.

use turnstile_strategy::{Exclusion, NotSelected, RankingList, SignalKind, Stage, Tier};

/// Returns the tier and, where it is one of lists, the list.
pub(super) const fn tier(tier: Tier) -> (&'static str, Option<&'static str>) {
    match tier {
        Tier::Holding => ("HOLDING", None),
        Tier::Watchlist => ("WATCHLIST", None),
        Tier::Ranking(list) => ("RANKING", Some(self::list(list))),
        Tier::Listed => ("LISTED", None),
    }
}

const fn list(list: RankingList) -> &'static str {
    match list {
        RankingList::VolumeSurge => "VOLUME_SURGE",
        RankingList::Value => "VALUE",
        RankingList::Gainers => "GAINERS",
        RankingList::Popular => "POPULAR",
        RankingList::MarketCap => "MARKET_CAP",
    }
}

pub(super) const fn exclusion(exclusion: Exclusion) -> &'static str {
    match exclusion {
        Exclusion::Market => "MARKET",
        Exclusion::Instrument => "INSTRUMENT",
        Exclusion::Name => "NAME",
        Exclusion::Status => "STATUS",
        Exclusion::Managed => "MANAGED",
        Exclusion::Caution => "CAUTION",
        Exclusion::Halted => "HALTED",
        Exclusion::MarketCap => "MARKET_CAP",
        Exclusion::Value => "VALUE",
        Exclusion::Volume => "VOLUME",
    }
}

pub(super) const fn kind(kind: SignalKind) -> &'static str {
    match kind {
        SignalKind::Buy => "BUY",
        SignalKind::Sell => "SELL",
    }
}

pub(super) const fn not_selected(reason: NotSelected) -> &'static str {
    match reason {
        NotSelected::Volatility => "VOLATILITY",
        NotSelected::Value => "VALUE",
        NotSelected::Score => "SCORE",
        NotSelected::Count => "COUNT",
    }
}

pub(super) const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Universe => "UNIVERSE",
        Stage::Factors => "FACTORS",
        Stage::Signals => "SIGNALS",
        Stage::Rankings => "RANKINGS",
        Stage::Portfolio => "PORTFOLIO",
    }
}
