//! What is in force: regime, rule, cooldown, limits, counts and levels.

use turnstile_dataflows::model::{Regime, Symbol};
use turnstile_dataflows::reentry::{ExitEvent, ReentryRule, TriggerKind};

use super::{Candidate, DAY, MINUTE, Oracle, class, seoul_day};

/// A refusal: gate, reason, whether it ends the candidate.
pub(super) type Refusal = (&'static str, String, bool);

impl Oracle {
    pub(super) fn regime(&self, time: u64) -> (Regime, bool) {
        if let Some(row) = self.overriding
            && time < row.until.micros()
        {
            return (row.regime, true);
        }
        match self.snapshot {
            Some(row) if row.asof.micros().abs_diff(time) <= 5 * MINUTE => (row.regime, true),
            _ => (Regime::RiskOff, false),
        }
    }

    /// Of the rules that match: the highest priority, then one of the symbol, then one of the very
    /// reason, then one of the very regime, then the lowest id.
    pub(super) fn rule(&self, event: &ExitEvent, regime: Regime) -> Option<&ReentryRule> {
        let class = class(&event.reason)?;
        let matching = self.rules.values().filter(|rule| {
            rule.symbol.is_none_or(|symbol| symbol == event.symbol)
                && rule.regime.is_none_or(|of| of == regime)
                && (*rule.exit_reason == *event.reason || *rule.exit_reason == *class)
        });
        matching.min_by_key(|rule| {
            (
                -i64::from(rule.priority),
                rule.symbol.is_none(),
                *rule.exit_reason != *event.reason,
                rule.regime.is_none(),
                rule.id.clone(),
            )
        })
    }

    pub(super) fn cooldown_end(&self, event: &ExitEvent, time: u64) -> u64 {
        let exit = event.exit.micros();
        let Some(rule) = self.rule(event, self.regime(time).0) else {
            return exit;
        };
        let mut cooldown = rule.cooldown_us;
        if class(&event.reason) == Some("SL") {
            let others = self.exits.values().filter(|other| {
                let at = other.exit.micros();
                other.symbol == event.symbol
                    && class(&other.reason) == Some("SL")
                    && other.id != event.id
                    && at <= exit
                    && exit - at <= DAY
            });
            cooldown = match others.count() {
                0 => cooldown,
                1 => cooldown * 2,
                _ => cooldown.max(DAY),
            };
        }
        exit + cooldown
    }

    /// The regime and what the rule under it allows.
    pub(super) fn policy(&self, candidate: &Candidate, time: u64) -> Result<(), Refusal> {
        let (regime, is_known) = self.regime(time);
        let Some(limits) = &self.limits else {
            return Err(("G0", "no limits".to_owned(), false));
        };
        if !limits.regimes.contains(&regime) {
            return Err(("G0", format!("regime {regime}"), false));
        }
        let rule = self.rule(&candidate.event, regime);
        match (rule.is_some_and(|rule| rule.allows_entry), is_known) {
            (true, _) => Ok(()),
            (false, true) => Err(("G0.5", String::new(), true)),
            (false, false) => Err(("G0", "unknown".to_owned(), false)),
        }
    }

    /// The blacklist and the counts of purchases.
    pub(super) fn counts(&self, candidate: &Candidate, time: u64) -> Result<(), Refusal> {
        let event = &candidate.event;
        if self.is_blacklisted(event.symbol, time) {
            return Err(("G2", String::new(), true));
        }
        let (regime, is_known) = self.regime(time);
        let Some(rule) = self.rule(event, regime) else {
            return Ok(());
        };
        if !self.is_over(rule, candidate, time) {
            return Ok(());
        }
        let mut rules = Regime::ALL
            .into_iter()
            .filter_map(|of| self.rule(event, of));
        let whatever_it_is = rules.all(|rule| self.is_over(rule, candidate, time));
        Err(if is_known || whatever_it_is {
            ("G2", String::new(), true)
        } else {
            ("G0", "no more while unknown".to_owned(), false)
        })
    }

    fn is_over(&self, rule: &ReentryRule, candidate: &Candidate, time: u64) -> bool {
        let (on_day, in_week) = self.purchases(candidate.event.symbol, time);
        let most = |count: u32| usize::try_from(count).expect("small");
        on_day >= most(rule.per_day_max)
            || in_week >= most(rule.per_week_max)
            || candidate.entries >= rule.total_max
    }

    /// Purchases of a symbol on the day of `time`, and on the seven days that end with it.
    pub(super) fn purchases(&self, symbol: Symbol, time: u64) -> (usize, usize) {
        let today = seoul_day(time);
        let rows = self.bought.values().filter(|row| row.symbol == symbol);
        let days: Vec<u64> = rows.map(|row| seoul_day(row.decided.micros())).collect();
        let in_week = |day: &&u64| **day <= today && **day + 7 > today;
        (
            days.iter().filter(|day| **day == today).count(),
            days.iter().filter(in_week).count(),
        )
    }

    pub(super) fn is_blacklisted(&self, symbol: Symbol, time: u64) -> bool {
        self.blacklist
            .get(&symbol)
            .is_some_and(|until| time < *until)
    }

    pub(super) fn level(&self, event: &ExitEvent, rule: &ReentryRule) -> Option<(i64, String)> {
        let exit = i128::from(event.exit_price.units());
        let one = 1_000_000_000_000_i128;
        let exact = match rule.trigger.kind {
            TriggerKind::Rebound(above) | TriggerKind::Chase(above) => {
                let mut above = above.to_decimal();
                above.rescale(12);
                exit * (one + above.mantissa())
            }
            TriggerKind::Breakout(k) => {
                let (pct, close) = self.atrs.get(&event.symbol)?;
                let mark = i128::from(event.prior_hwm?.units());
                mark * one + i128::from(*pct) * i128::from(*close) * i128::from(k)
            }
        };
        let reach = exact.div_euclid(one) + i128::from(exact.rem_euclid(one) > 0);
        let printed = match rule.trigger.kind {
            TriggerKind::Breakout(_) => reach,
            TriggerKind::Rebound(_) | TriggerKind::Chase(_) => {
                let (whole, rest) = (exact.div_euclid(one), exact.rem_euclid(one) * 2);
                whole + i128::from(rest > one || (rest == one && whole % 2 == 1))
            }
        };
        Some((i64::try_from(reach).ok()?, printed.to_string()))
    }
}
