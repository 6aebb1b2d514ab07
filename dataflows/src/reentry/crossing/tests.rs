//! Whom a tick does not touch has nothing to say: the crossing against one that looks at every
//! candidate of a symbol at each of its ticks.

mod history;

use proptest::prelude::*;

use super::*;
use crate::model::Price;
use crate::reentry::verdict::Verdict;
use history::{BEGIN_US, CANDIDATES, Rows, SECOND_US, SYMBOLS, Step, pause, step};

/// Lets a crossing take what happens at `now`, deadlines before it at their own times. `looks_at_all`
/// says whether every candidate of the symbol is looked at, touched or not.
fn drive(
    watch: &mut Watch,
    now: LogicalTime,
    told: &[(Fact, isize)],
    tick: Option<&Tick>,
    looks_at_all: bool,
) -> Vec<ReentryVerdict> {
    let mut said = Vec::new();
    while let Some(deadline) = watch.deadline().filter(|deadline| *deadline < now.micros()) {
        watch.facts(deadline, Vec::new(), &mut said);
    }
    if !told.is_empty() || watch.deadline() == Some(now.micros()) {
        watch.facts(now.micros(), told.to_vec(), &mut said);
    }
    if let Some(tick) = tick {
        if looks_at_all {
            watch.books.all_mut().for_each(Book::doubt);
        }
        watch.tick(tick, &mut said);
    }
    said
}

/// Takes the steps, each with the microseconds until the next. Returns what is said, which is what
/// is said where every candidate is looked at.
fn take(steps: Vec<(Step, u64)>) -> Vec<ReentryVerdict> {
    let (mut rows, mut watch, mut naive) = (Rows::new(), Watch::default(), Watch::default());
    let mut now = LogicalTime::from_micros(BEGIN_US);
    let mut all = Vec::new();
    for (step, pause_us) in steps {
        rows.take(now, &step);
        let told = std::mem::take(&mut rows.told);
        let tick = match step {
            Step::Tick(of, won) => Some(Tick {
                time: now,
                symbol: SYMBOLS[of].parse().unwrap(),
                last: Price::from_won(won).unwrap(),
                bid: None,
                volume: 1,
            }),
            _ => None,
        };
        let said = drive(&mut watch, now, &told, tick.as_ref(), false);
        let expected = drive(&mut naive, now, &told, tick.as_ref(), true);
        assert_eq!(said, expected, "{step:?} at {now}");
        for verdict in &said {
            if let Verdict::Submit { .. } = verdict.verdict {
                let id = verdict.candidate.as_str();
                let of = CANDIDATES.iter().position(|(other, _)| *other == id);
                rows.submitted[of.unwrap()] = Some(verdict.time);
            }
        }
        all.extend(said);
        now = now.plus_micros(pause_us);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whom_a_tick_does_not_touch_has_nothing_to_say(
        steps in proptest::collection::vec((step(), pause()), 1..120),
    ) {
        take(steps);
    }
}

#[test]
fn a_pause_that_no_tick_of_the_symbol_saw_holds_nobody_back() {
    let known = Step::Regime(0, 3_600);
    let facts = Step::Symbol(0, false, false, true);
    let said = take(vec![
        (known, 1),
        (Step::Rule(0, 1), 1),
        (Step::Window(50), 1),
        // The run of the first candidate is long enough in the pause, where only facts come.
        (Step::Tick(0, 104), 70 * SECOND_US),
        (facts, 20 * SECOND_US),
        (Step::Tick(0, 104), 1),
    ]);
    let of_first = said.iter().filter(|said| said.candidate.as_str() == "a");
    let last: Vec<_> = of_first.rev().take(2).map(|said| &said.verdict).collect();
    assert!(matches!(last[0], Verdict::Submit { .. }), "{last:?}");
    assert!(
        matches!(last[1], Verdict::Blocked { gate, .. } if &**gate == "CONTROL"),
        "{last:?}"
    );
}

#[test]
fn under_pause_all_a_run_ends_also_where_no_regime_lets_it_buy() {
    let [risk_on, panic] = [0, 3].map(|regime| Step::Regime(regime, 3_600));
    let [running, pause_all] = [0, 2].map(Step::Mode);
    let tick = || Step::Tick(0, 104);
    let said = take(vec![
        (panic, 1),
        (Step::Rule(0, 1), 1),
        (tick(), 20 * SECOND_US),
        (pause_all, SECOND_US),
        (tick(), SECOND_US),
        (running, SECOND_US),
        (risk_on, SECOND_US),
        // The run that counts begins here, and has to last for a minute.
        (tick(), 40 * SECOND_US),
        (tick(), 20 * SECOND_US),
        (tick(), 1),
    ]);
    let bought = said.iter().filter(|said| {
        let is_bought = matches!(said.verdict, Verdict::Submit { .. });
        is_bought && said.candidate.as_str() == "a"
    });
    let seconds: Vec<_> = bought
        .map(|said| (said.time.micros() - BEGIN_US) / SECOND_US)
        .collect();
    assert_eq!(seconds, [84]);
}
