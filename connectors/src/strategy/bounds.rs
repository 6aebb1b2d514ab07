//! What no portfolio in force may go beyond, whatever is configured (domain 6.5).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use turnstile_strategy::bounds::{NAME_CAP, NAMES, SECTOR_CAP, TOTAL_MIN};
use uuid::Uuid;

use super::ActivateError;
use crate::postgres::Transaction;

/// Names with their totals, by rank.
const NAMES_OF: &str = "SELECT h.symbol, h.sector, h.weight::bigint AS weight, r.total_score
    FROM strategy.portfolio_holdings h
    JOIN strategy.portfolios p USING (portfolio_id)
    LEFT JOIN strategy.rankings r ON r.snapshot_id = p.ranking_snapshot_id AND r.symbol = h.symbol
    WHERE h.portfolio_id = $1 ORDER BY h.rank";

/// A name of a portfolio.
struct Name {
    symbol: String,
    sector: Option<String>,
    /// Millionths of equity.
    weight: i64,
    /// Points; none where the ranking does not have the name.
    total: Option<Decimal>,
}

/// Refuses a portfolio that is beyond a bound.
pub(super) async fn check(
    transaction: &Transaction<'_>,
    portfolio: Uuid,
) -> Result<(), ActivateError> {
    let rows = transaction.query(NAMES_OF, &[&portfolio]).await?;
    let names = rows.iter().map(|row| {
        Ok(Name {
            symbol: row.try_get("symbol")?,
            sector: row.try_get("sector")?,
            weight: row.try_get("weight")?,
            total: row.try_get("total_score")?,
        })
    });
    let names = names.collect::<Result<Vec<_>, tokio_postgres::Error>>()?;
    let faults = faults(&names);
    if faults.is_empty() {
        return Ok(());
    }
    Err(ActivateError::BeyondBounds { portfolio, faults })
}

/// Returns every bound that is broken, in words.
fn faults(names: &[Name]) -> Vec<String> {
    let mut faults = Vec::new();
    let (least, most) = NAMES.into_inner();
    if !u32::try_from(names.len()).is_ok_and(|count| NAMES.contains(&count)) {
        let count = names.len();
        faults.push(format!("{least} to {most} names expected, was {count}"));
    }
    let mut sectors: BTreeMap<&str, i64> = BTreeMap::new();
    for name in names {
        let (symbol, weight) = (&name.symbol, name.weight);
        if weight > NAME_CAP {
            let (most, weight) = (percent(NAME_CAP), percent(weight));
            faults.push(format!(
                "{symbol}: {most} % at most expected, was {weight} %"
            ));
        }
        let total = name.total;
        if total.is_none_or(|total| total < Decimal::from(TOTAL_MIN)) {
            let total = total.map_or_else(
                || "unknown".to_owned(),
                |total| total.normalize().to_string(),
            );
            faults.push(format!(
                "{symbol}: a total of {TOTAL_MIN} at least expected, was {total}"
            ));
        }
        // A name without one is a sector of its own, and its own cap is lower.
        if let Some(sector) = &name.sector {
            *sectors.entry(sector).or_default() += weight;
        }
    }
    for (sector, weight) in sectors {
        if weight > SECTOR_CAP {
            let (most, weight) = (percent(SECTOR_CAP), percent(weight));
            faults.push(format!(
                "sector {sector}: {most} % at most expected, was {weight} %"
            ));
        }
    }
    faults
}

/// Returns millionths as percent.
fn percent(millionths: i64) -> Decimal {
    Decimal::new(millionths, 4).normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of one sector each, unless it is changed.
    fn names(weights: &[i64]) -> Vec<Name> {
        let name = |(at, weight): (usize, &i64)| Name {
            symbol: format!("{at:06}"),
            sector: Some(at.to_string()),
            weight: *weight,
            total: Some(Decimal::from(40)),
        };
        weights.iter().enumerate().map(name).collect()
    }

    #[test]
    fn what_stands_at_every_bound_is_within() {
        let mut five = names(&[300_000, 300_000, 100_000, 100_000, 100_000]);
        for name in &mut five[..2] {
            name.sector = Some("one".to_owned());
        }
        assert_eq!(faults(&five), Vec::<String>::new());
        assert_eq!(faults(&names(&[40_000; 20])), Vec::<String>::new());
    }

    #[test]
    fn every_bound_that_is_broken_is_named() {
        assert_eq!(faults(&names(&[1; 4])), ["5 to 20 names expected, was 4"]);
        assert_eq!(faults(&names(&[1; 21])), ["5 to 20 names expected, was 21"]);
        assert_eq!(faults(&[])[0], "5 to 20 names expected, was 0");
        let mut five = names(&[300_001, 300_000, 100_000, 100_000, 100_000]);
        for name in &mut five[..2] {
            name.sector = Some("one".to_owned());
        }
        five[3].total = Some("39.9999".parse().unwrap());
        five[4].total = None;
        let expected = [
            "000000: 30 % at most expected, was 30.0001 %",
            "000003: a total of 40 at least expected, was 39.9999",
            "000004: a total of 40 at least expected, was unknown",
            "sector one: 60 % at most expected, was 60.0001 %",
        ];
        assert_eq!(faults(&five), expected);
    }
}
