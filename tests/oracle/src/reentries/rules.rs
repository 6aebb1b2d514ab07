//! Random re-entry rules.

use rust_decimal::Decimal;
use turnstile_dataflows::engine::Change;
use turnstile_dataflows::model::{Ratio, Regime};
use turnstile_dataflows::reentry::{ReentryRule, ReentryTrigger, TriggerKind};

use super::{MINUTE, SECOND};
use crate::Dice;

const REASONS: [&str; 5] = ["SL", "TRAIL", "TP", "SL2", "TP1"];

/// Returns the rows that stand at the beginning: most cells of the policy have a rule.
pub(super) fn all(dice: &mut Dice) -> Vec<Change> {
    let mut rows = Vec::new();
    for reason in REASONS {
        for regime in Regime::ALL {
            let chance = if REASONS[3..].contains(&reason) {
                15
            } else {
                95
            };
            if dice.percent(chance) {
                rows.push(row(dice, reason, Some(regime)));
            }
        }
        if dice.percent(20) {
            rows.push(row(dice, reason, None));
        }
    }
    rows
}

/// Returns an edit of one rule.
pub(super) fn edit(dice: &mut Dice) -> Change {
    let reason = dice.pick(&REASONS);
    let regime = dice.percent(80).then(|| dice.pick(&Regime::ALL));
    if dice.percent(15) {
        return Change::ReentryRule(id(reason, regime).into(), None);
    }
    row(dice, reason, regime)
}

fn id(reason: &str, regime: Option<Regime>) -> String {
    format!("{reason}-{}", regime.map_or("ANY", Regime::name))
}

fn ratio(thousandths: i64) -> Ratio {
    Decimal::new(thousandths, 3).try_into().expect("a ratio")
}

fn row(dice: &mut Dice, reason: &str, regime: Option<Regime>) -> Change {
    let id: std::sync::Arc<str> = id(reason, regime).into();
    let allows_entry = dice.percent(93);
    let symbol = dice.percent(4).then(|| "R7".parse().expect("a symbol"));
    let rule = ReentryRule {
        id: id.clone(),
        symbol,
        exit_reason: reason.into(),
        regime,
        allows_candidate: allows_entry || dice.percent(60),
        allows_entry,
        cooldown_us: dice.pick(&[0, 0, 20 * SECOND, MINUTE]) + dice.below(2),
        watch_us: dice.pick(&[MINUTE, 4 * MINUTE, 10 * MINUTE, 30 * MINUTE, 30 * MINUTE]),
        per_day_max: dice.pick(&[1, 2, 9, 9, 9, 9, 9]),
        per_week_max: dice.pick(&[2, 9, 9, 9]),
        total_max: dice.pick(&[1, 2, 2, 2, 2, 2, 2, 2, 2, 2]),
        size: ratio(dice.between(1, 1_000)),
        second_size: dice.percent(98).then(|| ratio(dice.between(1, 1_000))),
        trigger: trigger(dice),
        priority: dice.pick(&[0, 0, 0, 1, -1]),
    };
    Change::ReentryRule(id, Some(rule))
}

fn trigger(dice: &mut Dice) -> ReentryTrigger {
    let above = ratio(dice.between(0, 15));
    let kind = match dice.below(3) {
        0 => TriggerKind::Rebound(above),
        1 => TriggerKind::Breakout(dice.below(500_000)),
        _ => TriggerKind::Chase(above),
    };
    // As a chase does by default.
    let asks_for_ranking = if matches!(kind, TriggerKind::Chase(_)) {
        85
    } else {
        12
    };
    let now_and_then = |dice: &mut Dice, value: u64| if dice.percent(15) { value } else { 0 };
    ReentryTrigger {
        kind,
        volume_ratio: now_and_then(dice, 900_000),
        structure_break: dice.percent(20),
        stable_us: dice.pick(&[0, 0, 0, 30 * SECOND, 2 * MINUTE]),
        momentum: now_and_then(dice, 400_000),
        volatility_atr: now_and_then(dice, 2_000_000),
        ranking_held: dice.percent(asks_for_ranking),
    }
}
