//! Target weights: equal parts by water-filling, under a cap of one name and one of a sector.
//!
//! Source: `docs/strategy.md`, section 5. Whole millionths of equity; what cannot be dealt out is
//! cash.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::limits::PortfolioLimits;
use crate::{Holding, NoPortfolio, Portfolio, Ranking, Weight};

const MILLION: i64 = 1_000_000;

/// The portfolio of what is selected, in order of rank, or why there is none.
pub(crate) fn portfolio(limits: &PortfolioLimits, selected: &[&Ranking]) -> Portfolio {
    let most = usize::try_from(limits.names_max).unwrap_or(usize::MAX);
    let names = &selected[..selected.len().min(most)];
    let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
    if count < limits.names_min {
        return Err(NoPortfolio::Names(count));
    }
    let sectors: Vec<_> = names.iter().map(|name| name.sector.as_ref()).collect();
    let holdings = names.iter().zip(weights(limits, &sectors));
    Ok(holdings
        .map(|(name, weight)| Holding {
            rank: name.rank,
            symbol: name.symbol,
            sector: name.sector.clone(),
            weight: Weight(weight),
        })
        .collect())
}

/// Deals out all but the least cash among names of these sectors, in equal parts. The names of a
/// sector have one cap each: that of one name, or an equal part of the sector's, cut off. Those whose
/// cap is below the equal part of what is left get their cap, and what they leave goes round again to
/// the others.
fn weights(limits: &PortfolioLimits, sectors: &[Option<&Arc<str>>]) -> Vec<i64> {
    let caps = caps(limits, sectors);
    let mut weights = vec![None; caps.len()];
    let mut left = (MILLION - limits.min_cash).clamp(0, MILLION);
    let mut free = i64::try_from(caps.len()).unwrap_or(i64::MAX);
    while free > 0 {
        let share = left / free;
        let mut frozen = 0;
        for (weight, cap) in weights.iter_mut().zip(&caps) {
            if weight.is_none() && *cap < share {
                *weight = Some(*cap);
                left -= cap;
                frozen += 1;
            }
        }
        if frozen == 0 {
            return weights
                .into_iter()
                .map(|weight| weight.unwrap_or(share))
                .collect();
        }
        free -= frozen;
    }
    weights.into_iter().map(Option::unwrap_or_default).collect()
}

/// Most of each name.
fn caps(limits: &PortfolioLimits, sectors: &[Option<&Arc<str>>]) -> Vec<i64> {
    let (name_cap, sector_cap) = (limits.name_cap.max(0), limits.sector_cap.max(0));
    let mut counts: BTreeMap<&Arc<str>, i64> = BTreeMap::new();
    for sector in sectors.iter().copied().flatten() {
        *counts.entry(sector).or_default() += 1;
    }
    let cap = |sector: &Option<&Arc<str>>| {
        let names = sector.and_then(|sector| counts.get(sector)).unwrap_or(&1);
        name_cap.min(sector_cap / names)
    };
    sectors.iter().map(cap).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Figure, Market};

    const LIMITS: PortfolioLimits = PortfolioLimits {
        names_max: 15,
        names_min: 10,
        name_cap: 150_000,
        sector_cap: 400_000,
        min_cash: 200_000,
    };

    /// Weights of names whose sectors are letters; `-` is none.
    fn dealt(limits: &PortfolioLimits, letters: &str) -> Vec<i64> {
        let sectors: Vec<Option<Arc<str>>> = letters
            .chars()
            .map(|letter| (letter != '-').then(|| letter.to_string().into()))
            .collect();
        let sectors: Vec<_> = sectors.iter().map(Option::as_ref).collect();
        weights(limits, &sectors)
    }

    fn selected(count: u32) -> Vec<Ranking> {
        let row = |rank| Ranking {
            rank,
            symbol: format!("{rank:06}").parse().unwrap(),
            market: Market::Kospi,
            sector: None,
            total: Figure::whole(70),
            score: Figure::whole(70),
            strength: Figure::whole(70),
            risk: Figure::whole(30),
            volatility: Some(Figure::whole(20)),
            liquidity: Some(20_000_000_000),
            losses: (0, 0),
            selected: Ok(()),
        };
        (1..=count).map(row).collect()
    }

    #[test]
    fn nine_names_are_no_portfolio_and_the_first_fifteen_are() {
        let of = |count| portfolio(&LIMITS, &selected(count).iter().collect::<Vec<_>>());
        assert_eq!(of(9), Err(NoPortfolio::Names(9)));
        assert_eq!(of(10).unwrap().len(), 10);
        let most = of(20).unwrap();
        assert!(most.iter().map(|holding| holding.rank).eq(1..=15));
        assert!(most.iter().all(|holding| holding.weight == Weight(53_333)));
    }

    #[test]
    fn without_a_cap_in_the_way_all_get_the_same() {
        assert_eq!(dealt(&LIMITS, "----------"), [80_000; 10]);
        assert_eq!(dealt(&LIMITS, "---------------"), [53_333; 15]);
    }

    #[test]
    fn a_full_sector_leaves_to_the_others() {
        // Six of a would have 480,000: 66,666 each, and 400,004 for the four others.
        let weights = dealt(&LIMITS, "aaaaaa----");
        assert_eq!(weights[..6], [66_666; 6]);
        assert_eq!(weights[6..], [100_001; 4]);
    }

    #[test]
    fn what_no_cap_allows_stays_cash() {
        let weights = dealt(&LIMITS, "aaaaaaaaa-");
        assert_eq!(weights[..9], [44_444; 9]);
        assert_eq!(weights[9], 150_000);
        assert_eq!(dealt(&LIMITS, "aaaaaaaaaa"), [40_000; 10]);
    }

    #[test]
    fn names_at_their_cap_do_not_break_that_of_their_sector() {
        let limits = PortfolioLimits {
            min_cash: 0,
            ..LIMITS
        };
        // 600,000 are left to three of b: neither 200,000 nor 150,000 each.
        let weights = dealt(&limits, "aaaaaaabbb");
        assert_eq!(weights[..7], [57_142; 7]);
        assert_eq!(weights[7..], [133_333; 3]);
    }

    #[test]
    fn nothing_is_dealt_out_where_all_is_cash() {
        let limits = PortfolioLimits {
            min_cash: 2 * MILLION,
            ..LIMITS
        };
        assert_eq!(dealt(&limits, "ab-"), [0; 3]);
        assert!(dealt(&LIMITS, "").is_empty());
    }

    proptest! {
        #[test]
        fn the_most_is_dealt_out_that_the_caps_allow(
            letters in "[abc-]{0,20}",
            name_cap in -10_i64..1_200_000,
            sector_cap in -10_i64..1_200_000,
            min_cash in -10_i64..1_200_000,
        ) {
            let limits = PortfolioLimits { name_cap, sector_cap, min_cash, ..LIMITS };
            let weights = dealt(&limits, &letters);
            let budget = (MILLION - min_cash).clamp(0, MILLION);
            let sum: i64 = weights.iter().sum();
            prop_assert!(weights.iter().all(|weight| (0..=name_cap.max(0)).contains(weight)));
            prop_assert!(sum <= budget);
            let names = i64::try_from(weights.len()).unwrap();
            let mut room = 0;
            for sector in ['a', 'b', 'c'] {
                let of_sector = || letters.chars().zip(&weights).filter(|(letter, _)| *letter == sector);
                let held: i64 = of_sector().map(|(_, weight)| weight).sum();
                prop_assert!(held <= sector_cap.max(0));
                let count = i64::try_from(of_sector().count()).unwrap();
                room += (name_cap.max(0) * count).min(sector_cap.max(0));
                // Names of one sector are alike.
                let first = of_sector().next().map(|(_, weight)| weight);
                prop_assert!(of_sector().all(|(_, weight)| Some(weight) == first));
            }
            let alone = i64::try_from(letters.matches('-').count()).unwrap();
            room += name_cap.max(0).min(sector_cap.max(0)) * alone;
            // Less than a millionth a name is lost to cutting off, in the share and in a sector's part.
            prop_assert!(sum + 2 * names >= budget.min(room));
        }
    }
}
