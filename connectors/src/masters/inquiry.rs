//! Asking the broker about one symbol after another, within a budget.

use std::time::Duration;

use jiff::civil::Date;
use tracing::{debug, warn};
use turnstile_dataflows::model::Symbol;

use crate::jobs::{Counts, JobError};
use crate::kis::KisError;

/// Symbols that are taken from the database at one go: what comes to be followed waits for no more.
pub(super) const PORTION: i64 = 20;
/// Questions in a row without an answer after which the broker counts as away.
const UNANSWERED_MAX: usize = 3;

/// How much may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockBudget {
    /// Symbols a day at most; what is followed counts, and is asked beyond that, too.
    pub per_day: u32,
    /// Shortest pause between two of them.
    pub spacing: Duration,
}

/// A symbol that is to be asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unasked {
    pub(super) symbol: Symbol,
    pub(super) is_followed: bool,
}

/// What is asked about symbols. A symbol that was asked for a day is not asked again for it.
pub(super) trait Inquiry: Sync {
    /// What the broker says of one.
    type Told: Send + Sync;
    /// What it is about, for logs.
    const ABOUT: &'static str;

    /// Returns up to [`PORTION`] symbols that are to be asked for `day`, the most urgent first, none of
    /// `without`.
    fn next(
        &self,
        day: Date,
        without: &[String],
    ) -> impl Future<Output = Result<Vec<Unasked>, JobError>> + Send;

    /// Returns how many symbols were asked for `day`.
    fn asked(&self, day: Date) -> impl Future<Output = Result<i64, JobError>> + Send;

    /// Asks the broker; none where its answer cannot be used.
    fn fetch(
        &self,
        symbol: Symbol,
    ) -> impl Future<Output = Result<Option<Self::Told>, KisError>> + Send;

    /// Stores what was told for `day`, with the note that it was asked. Returns whether it is new.
    fn store(
        &self,
        told: &Self::Told,
        day: Date,
    ) -> impl Future<Output = Result<bool, JobError>> + Send;

    /// Notes that a symbol was asked for `day`, with nothing learned.
    fn note_asked(
        &self,
        symbol: Symbol,
        day: Date,
    ) -> impl Future<Output = Result<(), JobError>> + Send;
}

/// Asks about everything that is to be asked for `day`.
pub(super) async fn ask_all<I: Inquiry>(
    inquiry: &I,
    budget: StockBudget,
    day: Date,
    counts: &Counts,
) -> Result<(), JobError> {
    let mut unanswered: Vec<Symbol> = Vec::new();
    let (mut in_a_row, mut is_answered, mut last) = (0, false, None);
    loop {
        let without: Vec<String> = unanswered.iter().map(Symbol::to_string).collect();
        let next = within(inquiry, budget, day, &without).await?;
        if next.is_empty() {
            return match last {
                Some(error) if !is_answered => Err(JobError::Broker(error)),
                _ => give_up_on(inquiry, &unanswered, day).await,
            };
        }
        for Unasked { symbol, .. } in next {
            match ask_one(inquiry, symbol, day, counts).await {
                Ok(()) => (in_a_row, is_answered) = (0, true),
                Err(JobError::Broker(error @ KisError::Transient { .. })) => {
                    debug!(%symbol, %error, about = I::ABOUT, "no answer");
                    unanswered.push(symbol);
                    in_a_row += 1;
                    if in_a_row >= UNANSWERED_MAX {
                        return Err(error.into());
                    }
                    last = Some(error);
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(budget.spacing).await;
        }
    }
}

/// Returns the next symbols, as far as they may be asked today.
async fn within<I: Inquiry>(
    inquiry: &I,
    budget: StockBudget,
    day: Date,
    without: &[String],
) -> Result<Vec<Unasked>, JobError> {
    let next = inquiry.next(day, without).await?;
    let mut room = i64::from(budget.per_day) - inquiry.asked(day).await?;
    let may_ask = |unasked: &Unasked| {
        let is_in_budget = room > 0;
        room -= 1;
        unasked.is_followed || is_in_budget
    };
    Ok(next.into_iter().filter(may_ask).collect())
}

async fn ask_one<I: Inquiry>(
    inquiry: &I,
    symbol: Symbol,
    day: Date,
    counts: &Counts,
) -> Result<(), JobError> {
    match inquiry.fetch(symbol).await {
        Ok(Some(told)) => {
            counts.fetched(1);
            let has_changed = inquiry.store(&told, day).await?;
            counts.changed(usize::from(has_changed));
            Ok(())
        }
        Ok(None) => {
            warn!(%symbol, about = I::ABOUT, "no usable answer today");
            inquiry.note_asked(symbol, day).await
        }
        Err(error @ KisError::Rejected { .. }) => {
            debug!(%symbol, %error, about = I::ABOUT, "the broker tells nothing of it");
            inquiry.note_asked(symbol, day).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Leaves symbols alone until tomorrow of which nothing came, though of others something did.
async fn give_up_on<I: Inquiry>(
    inquiry: &I,
    unanswered: &[Symbol],
    day: Date,
) -> Result<(), JobError> {
    for symbol in unanswered {
        warn!(%symbol, about = I::ABOUT, "no answer today");
        inquiry.note_asked(*symbol, day).await?;
    }
    Ok(())
}
