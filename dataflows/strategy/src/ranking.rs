//! The order of what is to be bought, with losses for what there is much of.
//!
//! Source: `docs/strategy.md`, section 4.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use turnstile_dataflows::model::Symbol;

use crate::limits::{RankingLimits, is_at_least, is_at_most};
use crate::risk::risk;
use crate::{Figure, Market, NotSelected, Ranking};

/// Symbols of a sector, and of a market, without a loss.
const SECTOR_FREE: i64 = 5;
const MARKET_FREE: i64 = 15;
/// Points that each further one loses more than the one before.
const SECTOR_LOSS: i64 = 5;
const MARKET_LOSS: i64 = 10;

/// A BUY signal with what its rank depends on.
#[derive(Clone, Debug)]
pub(crate) struct Contender<'a> {
    pub(crate) symbol: Symbol,
    pub(crate) market: Market,
    pub(crate) sector: Option<&'a Arc<str>>,
    pub(crate) strength: Figure,
    pub(crate) volatility: Option<Figure>,
    pub(crate) liquidity: Option<i64>,
}

/// Ranks and selects, the first at the front.
pub(crate) fn rank(limits: &RankingLimits, contenders: Vec<Contender<'_>>) -> Vec<Ranking> {
    let mut rows: Vec<Ranking> = contenders.into_iter().map(scored).collect();
    rows.sort_by_key(|row| (Reverse(row.score), row.symbol));
    let mut sectors: BTreeMap<Arc<str>, i64> = BTreeMap::new();
    let mut markets: BTreeMap<Market, i64> = BTreeMap::new();
    for row in &mut rows {
        let mut of_sector = 0;
        if let Some(sector) = &row.sector {
            let count = sectors.entry(sector.clone()).or_default();
            *count += 1;
            of_sector = *count;
        }
        let of_market = markets.entry(row.market).or_default();
        *of_market += 1;
        row.losses = (
            SECTOR_LOSS * (of_sector - SECTOR_FREE).max(0),
            MARKET_LOSS * (*of_market - MARKET_FREE).max(0),
        );
        let lost = Figure::whole(row.losses.0 + row.losses.1);
        row.total = Figure::from_units(row.score.units() - lost.units());
    }
    rows.sort_by_key(|row| (Reverse(row.total), row.symbol));
    let mut left = limits.selected_max;
    for (rank, row) in (1..).zip(&mut rows) {
        row.rank = rank;
        row.selected = select(limits, row, &mut left);
    }
    rows
}

/// `.7·strength + .3·(100 − risk)`, before it is known where others stand.
fn scored(contender: Contender<'_>) -> Ranking {
    let risk = risk(contender.volatility, contender.liquidity);
    let safety = i128::from(100 * Figure::ONE - risk.units());
    let score = Figure::quotient(7 * i128::from(contender.strength.units()) + 3 * safety, 10);
    Ranking {
        rank: 0,
        symbol: contender.symbol,
        market: contender.market,
        sector: contender.sector.cloned(),
        total: score,
        score,
        strength: contender.strength,
        risk,
        volatility: contender.volatility,
        liquidity: contender.liquidity,
        losses: (0, 0),
        selected: Ok(()),
    }
}

/// Takes one of those that are `left` to select, or says why not.
fn select(limits: &RankingLimits, row: &Ranking, left: &mut u32) -> Result<(), NotSelected> {
    let is_calm = |volatility| is_at_most(volatility, limits.volatility_max);
    if !row.volatility.is_some_and(is_calm) {
        return Err(NotSelected::Volatility);
    }
    if row
        .liquidity
        .is_none_or(|value| value < limits.liquidity_min)
    {
        return Err(NotSelected::Value);
    }
    if !is_at_least(row.total, limits.total_min) {
        return Err(NotSelected::Score);
    }
    *left = left.checked_sub(1).ok_or(NotSelected::Count)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RankingLimits = RankingLimits {
        selected_max: 20,
        total_min: 60,
        volatility_max: 60,
        liquidity_min: 1_000_000_000,
    };

    fn symbol(number: usize) -> Symbol {
        format!("{number:06}").parse().unwrap()
    }

    /// Calm and liquid: risk 0, score 30 + .7·strength.
    fn contender(number: usize, sector: Option<&Arc<str>>, strength: i64) -> Contender<'_> {
        Contender {
            symbol: symbol(number),
            market: Market::Kospi,
            sector,
            strength: Figure::whole(strength),
            volatility: Some(Figure::default()),
            liquidity: Some(20_000_000_000),
        }
    }

    #[test]
    fn score_is_of_strength_and_risk() {
        let mut one = contender(1, None, 80);
        one.volatility = Some(Figure::whole(30));
        let rows = rank(&LIMITS, vec![one]);
        // .7·80 + .3·(100 − 27)
        assert_eq!(
            rows[0].score,
            Figure::quotient(779 * i128::from(Figure::ONE), 10)
        );
        assert_eq!((rows[0].rank, rows[0].selected), (1, Ok(())));
    }

    #[test]
    fn the_sixth_of_a_sector_loses_and_is_overtaken() {
        let sector: Arc<str> = "banks".into();
        let mut contenders: Vec<_> = (1..=7)
            .map(|number| contender(number, Some(&sector), 80))
            .collect();
        contenders.push(contender(8, None, 75));
        let rows = rank(&LIMITS, contenders);
        let order: Vec<_> = rows.iter().map(|row| (row.symbol, row.losses)).collect();
        let expected = [1, 2, 3, 4, 5, 8, 6, 7].map(symbol).into_iter();
        let losses = [(0, 0); 6].into_iter().chain([(5, 0), (10, 0)]);
        assert_eq!(order, expected.zip(losses).collect::<Vec<_>>());
        assert_eq!(rows[7].total, Figure::whole(76));
    }

    #[test]
    fn the_sixteenth_of_a_market_loses() {
        let mut contenders: Vec<_> = (1..=17).map(|number| contender(number, None, 80)).collect();
        contenders[0].market = Market::Kosdaq;
        let rows = rank(&LIMITS, contenders);
        let lost: Vec<_> = rows.iter().filter(|row| row.losses.1 > 0).collect();
        assert_eq!(lost.len(), 1);
        assert_eq!((lost[0].symbol, lost[0].losses), (symbol(17), (0, 10)));
    }

    #[test]
    fn without_a_sector_nothing_is_lost_for_it() {
        let rows = rank(
            &LIMITS,
            (1..=9).map(|number| contender(number, None, 80)).collect(),
        );
        assert!(rows.iter().all(|row| row.losses == (0, 0)));
    }

    #[test]
    fn the_first_reason_counts() {
        let limits = RankingLimits {
            selected_max: 1,
            ..LIMITS
        };
        let mut contenders: Vec<_> = (1..=6).map(|number| contender(number, None, 80)).collect();
        contenders[0].volatility = None;
        contenders[1].volatility = Some(Figure::from_units(60 * Figure::ONE + 1));
        contenders[1].liquidity = Some(0);
        contenders[2].liquidity = Some(999_999_999);
        contenders[3].strength = Figure::whole(42);
        let rows = rank(&limits, contenders);
        let of = |number| {
            let row = rows.iter().find(|row| row.symbol == symbol(number));
            row.unwrap().selected
        };
        assert_eq!(of(1), Err(NotSelected::Volatility));
        assert_eq!(of(2), Err(NotSelected::Volatility));
        assert_eq!(of(3), Err(NotSelected::Value));
        assert_eq!(of(4), Err(NotSelected::Score)); // 59.4
        assert_eq!(of(5), Ok(()));
        assert_eq!(of(6), Err(NotSelected::Count));
    }
}
