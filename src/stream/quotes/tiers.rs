//! Tiers of what is asked for, and how often each is: within the budget of calls.
//!
//! ```text
//! 0 held     3 s ─┐
//! 1 watched 10 s  ├─ more calls than there are ─> intervals stretch, the lower tiers' first
//! 2 market  30 s ─┘
//! ```
//!
//! 1. Where all fits into the budget, every tier has its own interval.
//! 2. Where it does not, each tier takes what the lower ones leave, but at least a share of what the
//!    higher ones left: none starves, and the calls never exceed the budget.
//! 3. While the broker throttles, the market's interval is doubled and the lower half of what is
//!    watched counts as market (domain 2.4).

use std::time::Duration;

use turnstile_connectors::kis::Lane;
use turnstile_dataflows::model::Symbol;

pub(super) const TIERS: usize = 3;

/// Calls a second, in millionths of a call.
pub(super) type Rate = u128;

/// A whole call a second.
pub(super) const PER_CALL: Rate = 1_000_000;

/// Share of the calls that the higher tiers leave, which a tier may take whatever the lower ones want.
const SHARE: (Rate, Rate) = (7, 10);

/// How urgent the price of a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// Held, or being sold.
    Held,
    /// Orders, candidates, watchlist.
    Watched,
    /// Tells of the market as a whole.
    Market,
}

impl Tier {
    pub(super) const ALL: [Self; TIERS] = [Self::Held, Self::Watched, Self::Market];

    pub(super) fn index(self) -> usize {
        match self {
            Self::Held => 0,
            Self::Watched => 1,
            Self::Market => 2,
        }
    }

    pub(super) fn lane(self) -> Lane {
        match self {
            Self::Held => Lane::Tier0,
            Self::Watched => Lane::Tier1,
            Self::Market => Lane::Tier2,
        }
    }

    /// Returns the tier as a metric label.
    pub(super) fn label(self) -> &'static str {
        self.lane().label()
    }
}

/// A symbol whose price is wanted, as `trade.followed` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) symbol: Symbol,
    /// 0 closing, 1 held, 2 orders and candidates, 3 watchlist, 4 the market.
    pub(super) rank: i32,
    pub(super) score: i32,
}

/// Returns the tier of each symbol, the most urgent ones first.
pub(super) fn assign(wanted: &[Wanted], is_throttled: bool) -> Vec<(Symbol, Tier)> {
    let mut wanted = wanted.to_vec();
    wanted.sort_by_key(|it| (tier(it.rank), std::cmp::Reverse(it.score), it.symbol));
    let mut tiers: Vec<(Symbol, Tier)> =
        wanted.iter().map(|it| (it.symbol, tier(it.rank))).collect();
    if is_throttled {
        let is_watched = |(_symbol, tier): &&mut (Symbol, Tier)| *tier == Tier::Watched;
        let watched = wanted.iter().filter(|it| tier(it.rank) == Tier::Watched);
        let upper = watched.count().div_ceil(2);
        for (_symbol, tier) in tiers.iter_mut().filter(is_watched).skip(upper) {
            *tier = Tier::Market;
        }
    }
    tiers
}

fn tier(rank: i32) -> Tier {
    match rank {
        ..=1 => Tier::Held,
        2 | 3 => Tier::Watched,
        _ => Tier::Market,
    }
}

/// Returns the calls a second that `symbols` cost, each asked for every `interval`.
pub(super) fn rate(symbols: usize, interval: Duration) -> Rate {
    let symbols = u128::try_from(symbols).unwrap_or(u128::MAX);
    let calls = symbols.saturating_mul(PER_CALL * 1_000_000);
    calls.div_ceil(interval.as_micros().max(1))
}

/// Returns how often symbols may be asked for so that `silent` ones of each tier, wanted every `base`,
/// cost no more than `budget`; `None` is no limit.
pub(super) fn paced(
    silent: [usize; TIERS],
    base: [Duration; TIERS],
    budget: Option<Rate>,
) -> [Duration; TIERS] {
    let Some(mut left) = budget else {
        return base;
    };
    let demand: [Rate; TIERS] = std::array::from_fn(|tier| rate(silent[tier], base[tier]));
    let mut paced = base;
    for tier in 0..TIERS {
        let lower: Rate = demand[tier + 1..].iter().sum();
        let allowed = match lower {
            0 => left,
            lower => (left * SHARE.0 / SHARE.1).max(left.saturating_sub(lower)),
        };
        if demand[tier] > allowed {
            let calls = u128::try_from(silent[tier]).unwrap_or(u128::MAX);
            let micros = (calls * PER_CALL * 1_000_000).div_ceil(allowed.max(1));
            paced[tier] = Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX));
        }
        left -= demand[tier].min(allowed);
    }
    paced
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: [Duration; TIERS] = [
        Duration::from_secs(3),
        Duration::from_secs(10),
        Duration::from_secs(30),
    ];

    fn wanted(number: u32, rank: i32, score: i32) -> Wanted {
        Wanted {
            symbol: format!("{number:06}").parse().unwrap(),
            rank,
            score,
        }
    }

    #[test]
    fn what_fits_is_asked_for_as_often_as_it_should_be() {
        assert_eq!(paced([30, 20, 20], BASE, Some(15 * PER_CALL)), BASE);
        assert_eq!(paced([4_000, 100, 200], BASE, None), BASE);
    }

    /// Full tiers of domain 2.3 need 30 calls a second; 15 are there.
    #[test]
    fn full_tiers_stretch_and_none_starves() {
        let [held, watched, market] = paced([40, 100, 200], BASE, Some(15 * PER_CALL));
        assert_eq!(held.as_millis(), 3_809, "10.5 calls a second");
        assert_eq!(watched.as_millis(), 31_746, "3.15 calls a second");
        assert_eq!(market.as_millis(), 148_148, "the other 1.35");
    }

    #[test]
    fn a_paper_account_keeps_its_one_call_a_second() {
        let [held, ..] = paced([30, 0, 0], BASE, Some(PER_CALL));
        assert_eq!(held, Duration::from_secs(30));
    }

    #[test]
    fn ranks_become_tiers_by_score_and_throttling_moves_the_lower_half() {
        let followed = [
            wanted(1, 3, 1_000),
            wanted(2, 2, 5_000),
            wanted(3, 1, 10_000),
            wanted(4, 4, 500),
            wanted(5, 0, 15_000),
            wanted(6, 2, 2_000),
        ];
        let shown = |is_throttled| {
            let tiers = assign(&followed, is_throttled);
            let tiers = tiers.iter();
            let shown = tiers.map(|(symbol, tier)| format!("{}:{}", symbol, tier.index()));
            shown.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            shown(false),
            "000005:0 000003:0 000002:1 000006:1 000001:1 000004:2"
        );
        assert_eq!(
            shown(true),
            "000005:0 000003:0 000002:1 000006:1 000001:2 000004:2"
        );
    }

    proptest! {
        #[test]
        fn calls_keep_to_the_budget_and_no_tier_is_left_out(
            silent in prop::array::uniform3(0..400_usize), budget in 1..60_u32
        ) {
            let budget = u128::from(budget) * PER_CALL;
            let paced = paced(silent, BASE, Some(budget));
            let calls: Rate = (0..TIERS).map(|tier| rate(silent[tier], paced[tier])).sum();
            // Each rate is rounded up.
            prop_assert!(calls <= budget + 2 * PER_CALL / 1_000, "{calls}");
            for tier in 0..TIERS {
                prop_assert!(paced[tier] >= BASE[tier]);
                // 400 symbols are through in time, with the share that two shares of 0.7 leave.
                let slowest = 400 * PER_CALL * 1_000_000 * 100 / (9 * budget);
                let most = slowest.max(BASE[tier].as_micros()) * 101 / 100;
                prop_assert!(paced[tier].as_micros() <= most, "{paced:?}");
            }
        }
    }
}
