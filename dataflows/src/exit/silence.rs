//! Within what a position stays silent after it has been judged.
//!
//! 1. What is spent is not watched: only a change of phase or cycle brings it back, and that comes
//!    as an event.
//! 2. What is under way is not watched either: its order ends by an event.
//! 3. What may not be decided now can only become so by an event (order, plan, control) or at a
//!    known time. Its level is still watched, so that its crossing is told once.
//! 4. Runs of breaches are state that shows later, so they follow the price whether or not they may
//!    be decided. Between two ticks a run changes only when the price leaves its level or a later
//!    slot begins.

use crate::model::LogicalTime;

use super::decision::Run;
use super::held::{Held, Judgement};
use super::permit::{Active, Permit, permit};
use super::quiet::{Quiet, is_in_window, next_above, next_below, next_open, window_end};
use super::trigger::{Reach, Trigger, When};

impl Held {
    /// Returns within what judging again would change nothing.
    pub(super) fn silence(&self, by: Judgement<'_>, triggers: &[Trigger]) -> Quiet {
        let mut quiet = Quiet::default();
        let active = Active::of(&self.orders);
        for trigger in triggers {
            // A hit that was told is watched for its end.
            let is_told = self.is_told(trigger);
            let (is_permitted, is_told) = match permit(self, trigger, by.now, &active) {
                Permit::Spent => continue,
                Permit::Underway if !trigger.when.is_debounced() => continue,
                Permit::Underway => (false, true),
                // What a stronger one hides now is due at the next tick, told or not.
                Permit::Now { .. } => (true, false),
                Permit::Later(_, due) => {
                    quiet.from(due);
                    (false, is_told)
                }
                Permit::No(_) => (false, is_told),
            };
            self.watch(trigger, is_permitted, is_told, by, &mut quiet);
        }
        // A run whose trigger is off ends with the next tick.
        let lists = |is_of: fn(&When) -> bool| triggers.iter().any(|trigger| is_of(&trigger.when));
        let has_floor = lists(|when| matches!(when, When::Floor(_)));
        let has_trail = lists(|when| matches!(when, When::Trail { .. }));
        quiet.never |= self.runs.floor.is_some() && !has_floor;
        quiet.never |= self.runs.trail.is_some() && !has_trail;
        quiet
    }

    fn watch(
        &self,
        trigger: &Trigger,
        is_permitted: bool,
        is_told: bool,
        by: Judgement<'_>,
        quiet: &mut Quiet,
    ) {
        match trigger.when {
            When::Now => quiet.never |= is_permitted || !is_told,
            When::Below(reach) if is_told => quiet.above(next_above(reach.price)),
            When::Below(reach) => quiet.below(reach.price),
            When::Above(reach) if is_told => quiet.below(next_below(reach.price)),
            When::Above(reach) => quiet.above(reach.price),
            When::Floor(reach) => match self.runs.floor {
                None => quiet.below(reach.price),
                Some(run) => watch_run(run, reach, is_told, quiet),
            },
            When::Trail { gap } => match (by.trail(gap), self.runs.trail) {
                (Some(reach), Some(run)) => watch_run(run, reach, is_told, quiet),
                _ if by.mark.is_none() => quiet.never = true,
                _ if self.mark.is_none() => quiet.trail = Some(gap),
                // Its own mark is above the shared one: the level moves once the price passes it.
                (reach, None) => {
                    let mark = by.mark.map(|mark| mark.price);
                    mark.into_iter()
                        .for_each(|mark| quiet.above(next_above(mark)));
                    reach.into_iter().for_each(|reach| quiet.below(reach.price));
                }
                (None, Some(_)) => quiet.never = true,
            },
            When::Gap { reach, window_s } => {
                if is_in_window(by.now, window_s) {
                    if is_told {
                        quiet.above(next_above(reach.price));
                        quiet.from(window_end(by.now, window_s));
                    } else {
                        quiet.below(reach.price);
                    }
                }
                quiet.from(next_open(by.now));
            }
            When::BreakEven { arm, reach } => {
                if by.mark.is_none_or(|mark| mark.price < arm) {
                    quiet.above(arm);
                } else if is_told {
                    quiet.above(next_above(reach.price));
                } else {
                    quiet.below(reach.price);
                }
            }
            When::Held { limit, idle } => {
                let later = limit.into_iter().chain(idle.map(|(from, _need)| from));
                later
                    .filter(|time| *time > by.now)
                    .for_each(|time| quiet.from(time));
                // Told or hidden by a stronger one: due at the next tick if not told.
                let is_due = limit.is_some_and(|limit| by.now >= limit)
                    || idle.is_some_and(|(from, need)| {
                        by.now >= from && by.mark.is_none_or(|mark| mark.price < need)
                    });
                quiet.never |= is_due && !is_told;
                if is_told && let Some((_from, need)) = idle {
                    quiet.above(need);
                }
            }
        }
    }
}

fn watch_run(run: Run, reach: Reach, is_told: bool, quiet: &mut Quiet) {
    quiet.above(next_above(reach.price));
    if !run.is_confirmed {
        quiet.from(LogicalTime::from_breach_slot(run.slot + 1));
    } else if !is_told {
        quiet.below(reach.price);
    }
}
