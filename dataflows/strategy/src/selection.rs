//! Selection: signals, ranking and portfolio, each a small reduction over all that are left.
//!
//! ```text
//! judged ─⋈─ limits ─> signals by kind ─> first of each kind ─> BUY: ranking ─> selected ─> portfolio
//! ```
//!
//! Keeps what is judged once more, under one key, and what is kept of it.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use turnstile_dataflows::Rows;
use turnstile_dataflows::model::Symbol;

use crate::evaluation::Judged;
use crate::limits::{PortfolioLimits, RankingLimits, SignalLimits};
use crate::portfolio::portfolio;
use crate::ranking::{Contender, rank};
use crate::signals::{signal_kind, urgency};
use crate::universe::Publication;
use crate::{Figure, Market, Portfolio, Ranking, Settings, Signal, SignalKind};

/// What is selected.
pub(crate) struct Selection<'s> {
    pub(crate) signals: Rows<'s, Signal>,
    pub(crate) rankings: Rows<'s, Ranking>,
    /// Always one row.
    pub(crate) portfolio: Rows<'s, Portfolio>,
}

/// A signal with what its rank depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Kept {
    signal: Signal,
    market: Market,
    sector: Option<Arc<str>>,
    volatility: Option<Figure>,
    liquidity: Option<i64>,
}

/// What is known of the signals of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Candidate {
    /// How many are kept at most.
    Most(u32),
    /// The most urgent first, ties to the lower symbol. Its rank is not known yet.
    Signal(Reverse<i64>, Symbol, Kept),
}

/// What the ranking depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum ForRanking {
    Limits(RankingLimits),
    Buy(Kept),
}

/// What the portfolio depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum ForPortfolio {
    Limits(PortfolioLimits),
    Publication(Publication),
    /// Sorted by rank.
    Selected(Ranking),
}

/// Renders the selection.
pub(crate) fn render<'s>(
    judged: Rows<'s, Judged>,
    publication: Rows<'s, Publication>,
    settings: Rows<'s, Settings>,
) -> Selection<'s> {
    let kept = kept(judged, &settings);
    let rankings = rankings(&kept, &settings);
    Selection {
        signals: kept.map(|kept| kept.signal),
        portfolio: portfolios(&rankings, publication, &settings),
        rankings,
    }
}

/// The first signals of each kind.
fn kept<'s>(judged: Rows<'s, Judged>, settings: &Rows<'s, Settings>) -> Rows<'s, Kept> {
    let limits = settings
        .clone()
        .map(|settings| ((), SignalLimits::from(&settings)));
    let signals = judged
        .map(|judged| ((), judged))
        .join_map(limits, |(), judged, limits| candidate(limits, judged))
        .flat_map(|candidate| candidate);
    let most = settings.clone().map(|settings| settings.signals_max);
    let most = most.flat_map(|most| {
        [SignalKind::Buy, SignalKind::Sell].map(|kind| (kind, Candidate::Most(most)))
    });
    signals
        .concat(most)
        .reduce_named(
            "signals: first of each kind",
            |_kind, candidates, output| {
                let Some(((Candidate::Most(most), _count), candidates)) = candidates.split_first()
                else {
                    return;
                };
                for (rank, (candidate, _count)) in (1..=*most).zip(candidates) {
                    if let Candidate::Signal(_urgency, _symbol, kept) = candidate {
                        let mut kept = kept.clone();
                        kept.signal.rank = rank;
                        output.push((kept, 1));
                    }
                }
            },
        )
        .map(|(_kind, kept)| kept)
}

/// The signal that a judgement is, if it is one.
fn candidate(limits: &SignalLimits, judged: &Judged) -> Option<(SignalKind, Candidate)> {
    let symbol = judged.evaluation.symbol;
    let (total, strength, conviction) = judged.evaluation.judged?;
    let kind = signal_kind(limits, strength, conviction)?;
    let kept = Kept {
        signal: Signal {
            kind,
            rank: 0,
            symbol,
            strength,
            conviction,
            total,
        },
        market: judged.market,
        sector: judged.sector.clone(),
        volatility: judged.volatility,
        liquidity: judged.liquidity,
    };
    let urgency = Reverse(urgency(kind, strength, conviction));
    Some((kind, Candidate::Signal(urgency, symbol, kept)))
}

/// All BUY signals that are kept, ranked.
fn rankings<'s>(kept: &Rows<'s, Kept>, settings: &Rows<'s, Settings>) -> Rows<'s, Ranking> {
    let limits = settings.clone().map(|settings| {
        let limits = RankingLimits::from(&settings);
        ((), ForRanking::Limits(limits))
    });
    let buys = kept
        .clone()
        .filter(|kept| kept.signal.kind == SignalKind::Buy);
    buys.map(|kept| ((), ForRanking::Buy(kept)))
        .concat(limits)
        .reduce_named("rankings: all BUY signals", |(), rows, output| {
            let Some(((ForRanking::Limits(limits), _count), rows)) = rows.split_first() else {
                return;
            };
            let contenders = rows.iter().filter_map(|(row, _count)| match row {
                ForRanking::Limits(_limits) => None,
                ForRanking::Buy(kept) => Some(Contender {
                    symbol: kept.signal.symbol,
                    market: kept.market,
                    sector: kept.sector.as_ref(),
                    strength: kept.signal.strength,
                    volatility: kept.volatility,
                    liquidity: kept.liquidity,
                }),
            });
            let ranked = rank(limits, contenders.collect());
            output.extend(ranked.into_iter().map(|row| (row, 1)));
        })
        .map(|((), row)| row)
}

/// The portfolio, or why there is none.
fn portfolios<'s>(
    rankings: &Rows<'s, Ranking>,
    publication: Rows<'s, Publication>,
    settings: &Rows<'s, Settings>,
) -> Rows<'s, Portfolio> {
    let limits = settings.clone().map(|settings| {
        let limits = PortfolioLimits::from(&settings);
        ((), ForPortfolio::Limits(limits))
    });
    let selected = rankings.clone().filter(|row| row.selected.is_ok());
    selected
        .map(|row| ((), ForPortfolio::Selected(row)))
        .concatenate([
            limits,
            publication.map(|publication| ((), ForPortfolio::Publication(publication))),
        ])
        .reduce_named("portfolio", |(), rows, output| {
            let (mut limits, mut publication) = (None, None);
            let mut selected = Vec::new();
            for (row, _count) in rows {
                match row {
                    ForPortfolio::Limits(row) => limits = Some(row),
                    ForPortfolio::Publication(row) => publication = Some(*row),
                    ForPortfolio::Selected(row) => selected.push(row),
                }
            }
            if let (Some(limits), Some(publication)) = (limits, publication) {
                output.push((publication.and_then(|()| portfolio(limits, &selected)), 1));
            }
        })
        .map(|((), portfolio)| portfolio)
}
