//! Evaluation: the factors of each symbol of the universe, and what they come to.
//!
//! ```text
//! bars, fundamentals, flows, disclosures ─> windows by symbol ─┐
//! members of a published universe ─────────────────────────────┴─> judged by symbol
//! ```
//!
//! Keeps what each window says of a symbol, and what they come to.

use std::rc::Rc;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use turnstile_dataflows::Rows;
use turnstile_dataflows::model::Symbol;

use crate::figures::BarFactors;
use crate::judgement::judge;
use crate::universe::{Member, Publication};
use crate::work::WorkCount;
use crate::{Evaluation, FactorScores, Figure, Market, Score};

/// What the windows say, by symbol.
pub(crate) struct FactorRows<'s> {
    pub(crate) bars: Rows<'s, (Symbol, BarFactors)>,
    pub(crate) fundamentals: Rows<'s, (Symbol, FundamentalFactors)>,
    pub(crate) flows: Rows<'s, (Symbol, Score)>,
    pub(crate) events: Rows<'s, (Symbol, Score)>,
}

/// What fundamentals say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct FundamentalFactors {
    pub(crate) value: Option<Score>,
    pub(crate) quality: Option<Score>,
}

/// An evaluation with what its rank would depend on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Judged {
    pub(crate) evaluation: Evaluation,
    pub(crate) market: Market,
    pub(crate) sector: Option<Arc<str>>,
    pub(crate) volatility: Option<Figure>,
    pub(crate) liquidity: Option<i64>,
}

/// What is said of a symbol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Fact {
    Member(Member),
    Bars(BarFactors),
    Fundamentals(FundamentalFactors),
    Flow(Score),
    Event(Score),
}

/// Renders the evaluation of each member; of none where the universe is not published.
pub(crate) fn render<'s>(
    members: Rows<'s, (Symbol, Member)>,
    publication: Rows<'s, Publication>,
    factors: FactorRows<'s>,
    work: Rc<WorkCount>,
) -> Rows<'s, Judged> {
    let published = publication.filter(Result::is_ok).map(|_published| ((), ()));
    let members = members
        .map(|member| ((), member))
        .join_map(published, |(), (symbol, member), ()| {
            (*symbol, Fact::Member(member.clone()))
        });
    let facts = members.concatenate([
        factors.bars.map(|(symbol, row)| (symbol, Fact::Bars(row))),
        factors
            .fundamentals
            .map(|(symbol, row)| (symbol, Fact::Fundamentals(row))),
        factors.flows.map(|(symbol, row)| (symbol, Fact::Flow(row))),
        factors
            .events
            .map(|(symbol, row)| (symbol, Fact::Event(row))),
    ]);
    facts
        .reduce_named("factors: judged by symbol", move |symbol, facts, output| {
            let Some(((Fact::Member(member), _count), facts)) = facts.split_first() else {
                return;
            };
            work.judged();
            let mut scores = FactorScores::default();
            let (mut volatility, mut liquidity) = (None, None);
            for (fact, _count) in facts {
                match fact {
                    Fact::Member(_member) => {}
                    Fact::Bars(bars) => {
                        (scores.momentum, scores.technical) = (bars.momentum, bars.technical);
                        (volatility, liquidity) = (bars.volatility, bars.liquidity);
                    }
                    Fact::Fundamentals(row) => {
                        (scores.value, scores.quality) = (row.value, row.quality);
                    }
                    Fact::Flow(score) => scores.flow = Some(*score),
                    Fact::Event(score) => scores.event = Some(*score),
                }
            }
            let judged = Judged {
                evaluation: Evaluation {
                    symbol: *symbol,
                    scores,
                    judged: judge(&scores),
                },
                market: member.market,
                sector: member.sector.clone(),
                volatility,
                liquidity,
            };
            output.push((judged, 1));
        })
        .map(|(_symbol, judged)| judged)
}
