//! Re-entry rules: one cell of the policy table (domain 5.3), exit reason by regime.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::{ExitReason, Price, Quantity, Ratio, Regime, Symbol};

use super::tape::Volatility;

/// One, in millionths.
pub(super) const MILLION: u64 = 1_000_000;
const MINUTE_US: u64 = 60_000_000;
/// Largest factor of a rule: no market is further away.
const FACTOR_MAX: u64 = 1_000 * MILLION;
/// Longest time that a price may have to hold: a day.
const STABLE_MINUTES_MAX: u64 = 1_440;
/// Least momentum and most volatility of a CHASE that says nothing else (domain 5.3).
const CHASE_MOMENTUM: u64 = 700_000;
const CHASE_VOLATILITY: u64 = 3 * MILLION;

/// One active row of `trade.reentry_rules`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReentryRule {
    /// Identity.
    pub id: Arc<str>,
    /// The symbol it serves; none: every one.
    pub symbol: Option<Symbol>,
    /// Reason code or class ([`reason_class`]) it serves.
    pub exit_reason: Arc<str>,
    /// The regime it serves; none: every one.
    pub regime: Option<Regime>,
    /// Whether an exit under it makes a candidate at all.
    pub allows_candidate: bool,
    /// Whether a candidate under it may enter.
    pub allows_entry: bool,
    /// Cooldown after the exit, microseconds.
    pub cooldown_us: u64,
    /// How long a candidate watches after the cooldown, microseconds.
    pub watch_us: u64,
    /// Entries of a symbol on one day of Seoul, at most.
    pub per_day_max: u32,
    /// Entries of a symbol on seven days of Seoul, at most.
    pub per_week_max: u32,
    /// Entries of one candidate, at most.
    pub total_max: u32,
    /// Part of the original quantity that the first entry buys.
    pub size: Ratio,
    /// Part that the second one buys; none: there is no second one.
    pub second_size: Option<Ratio>,
    /// What must happen.
    pub trigger: ReentryTrigger,
    /// The highest wins.
    pub priority: i32,
}

/// What must happen for a candidate to enter. A condition of zero asks for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReentryTrigger {
    /// The price that has to be reached.
    pub kind: TriggerKind,
    /// Least volume of the last five minutes against that of the twenty before, millionths.
    pub volume_ratio: u64,
    /// Whether the price has to be above the last swing high.
    pub structure_break: bool,
    /// How long every tick has to have reached the price, microseconds.
    pub stable_us: u64,
    /// Least part of the last ten minutes that closed higher than the one before, millionths.
    pub momentum: u64,
    /// Largest range of the last ten minutes in ATRs, millionths.
    pub volatility_atr: u64,
    /// Whether the newest ranking of the daily strategy has to select the symbol.
    pub ranking_held: bool,
}

/// Which price has to be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TriggerKind {
    /// `exit price × (1 + rebound)`.
    Rebound(Ratio),
    /// `high-water mark of the position + k × ATR`, k in millionths. Without either there is none.
    Breakout(u64),
    /// `exit price × (1 + chase)`; the momentum carries it.
    Chase(Ratio),
}

impl TriggerKind {
    /// Returns the reason of an entry, as orders have it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Rebound(_) => "REENTRY_REBOUND",
            Self::Breakout(_) => "REENTRY_BREAKOUT",
            Self::Chase(_) => "REENTRY_CHASE",
        }
    }

    /// Returns the lowest price that reaches the level, and the level as it is printed.
    pub(super) fn level(
        self,
        exit_price: Price,
        prior_hwm: Option<Price>,
        volatility: Option<Volatility>,
    ) -> Option<(Price, Price)> {
        match self {
            Self::Rebound(above) | Self::Chase(above) => {
                let threshold = above.threshold();
                let reach = threshold.at_or_above(exit_price)?;
                Some((reach, threshold.rounded(exit_price)?))
            }
            Self::Breakout(k) => {
                let reach = volatility?.above(prior_hwm?, k)?;
                Some((reach, reach))
            }
        }
    }
}

impl ReentryRule {
    /// Returns the size of entry `n`, from one on; none where the rule knows no such entry. At least
    /// one share.
    pub(super) fn size_of(&self, n: u32, original: Quantity) -> Option<Quantity> {
        let size = match n {
            1 => Some(self.size),
            2 => self.second_size,
            _ => None,
        };
        let size = size.filter(|_| n <= self.total_max)?;
        Some(size.floor_of(original).max(Quantity::ONE))
    }
}

impl ReentryTrigger {
    /// Reads `trade.reentry_rules.trigger_params`, an object with `type` REBOUND, BREAKOUT or CHASE:
    ///
    /// ```text
    /// rebound, chase    0 ≤ x < 0.5             of REBOUND (needed) and CHASE (0)
    /// atr_k             0 ≤ x ≤ 1000            of BREAKOUT (needed)
    /// volume_ratio, volatility_atr  0 ≤ x ≤ 1000; momentum 0 ≤ x ≤ 1; at most six decimals
    /// stable_minutes    0 … 1440, whole
    /// structure_break, ranking_held  true, false
    /// ```
    ///
    /// What is absent asks for nothing; only of CHASE `momentum` is 0.7, `volatility_atr` 3 and
    /// `ranking_held` true.
    ///
    /// # Errors
    /// What is wrong, with the path of the key below `trigger_params`.
    pub fn from_value(value: &Value) -> Result<Self, String> {
        let object = value.as_object().ok_or("trigger_params: object expected")?;
        let kind = object.get("type").and_then(Value::as_str);
        let own = match kind {
            Some("REBOUND") => "rebound",
            Some("BREAKOUT") => "atr_k",
            Some("CHASE") => "chase",
            other => {
                return Err(format!(
                    "trigger_params.type: REBOUND, BREAKOUT or CHASE expected, was {other:?}"
                ));
            }
        };
        let known = [
            "type",
            own,
            "volume_ratio",
            "structure_break",
            "stable_minutes",
            "momentum",
            "volatility_atr",
            "ranking_held",
        ];
        if let Some(key) = object.keys().find(|key| !known.contains(&key.as_str())) {
            let known = known.join(", ");
            return Err(format!(
                "trigger_params.{key}: unknown key, expected {known}"
            ));
        }
        let is_chase = kind == Some("CHASE");
        let or = |default: u64| if is_chase { default } else { 0 };
        Ok(Self {
            kind: match kind {
                Some("REBOUND") => TriggerKind::Rebound(above(object, own, None)?),
                Some("BREAKOUT") => TriggerKind::Breakout(factor(object, own, None, FACTOR_MAX)?),
                _ => TriggerKind::Chase(above(object, own, Some(Ratio::ZERO))?),
            },
            volume_ratio: factor(object, "volume_ratio", Some(0), FACTOR_MAX)?,
            structure_break: flag(object, "structure_break", false)?,
            stable_us: stable(object)?,
            momentum: factor(object, "momentum", Some(or(CHASE_MOMENTUM)), MILLION)?,
            volatility_atr: factor(
                object,
                "volatility_atr",
                Some(or(CHASE_VOLATILITY)),
                FACTOR_MAX,
            )?,
            ranking_held: flag(object, "ranking_held", is_chase)?,
        })
    }
}

type Object = Map<String, Value>;

fn decimal(object: &Object, key: &str) -> Result<Option<Decimal>, String> {
    let Some(value) = object.get(key) else {
        return Ok(None);
    };
    let text = value.to_string();
    Decimal::from_str_exact(&text)
        .or_else(|_| Decimal::from_scientific(&text))
        .map(Some)
        .map_err(|_| format!("trigger_params.{key}: number expected, was {text}"))
}

fn above(object: &Object, key: &str, default: Option<Ratio>) -> Result<Ratio, String> {
    let Some(value) = decimal(object, key)? else {
        return default.ok_or_else(|| format!("trigger_params.{key}: number expected"));
    };
    if !(Decimal::ZERO..Decimal::new(5, 1)).contains(&value) {
        return Err(format!(
            "trigger_params.{key}: 0 <= x < 0.5 expected, was {value}"
        ));
    }
    Ratio::try_from(value).map_err(|error| format!("trigger_params.{key}: {error}"))
}

/// Returns a factor in millionths.
fn factor(object: &Object, key: &str, default: Option<u64>, most: u64) -> Result<u64, String> {
    let Some(value) = decimal(object, key)? else {
        return default.ok_or_else(|| format!("trigger_params.{key}: number expected"));
    };
    let count = value.checked_mul(Decimal::from(MILLION));
    count
        .filter(Decimal::is_integer)
        .and_then(|count| u64::try_from(count).ok())
        .filter(|count| *count <= most)
        .ok_or_else(|| {
            let most = Decimal::from(most) / Decimal::from(MILLION);
            format!(
                "trigger_params.{key}: 0 <= x <= {most} with at most 6 decimals expected, was {value}"
            )
        })
}

fn flag(object: &Object, key: &str, default: bool) -> Result<bool, String> {
    let Some(value) = object.get(key) else {
        return Ok(default);
    };
    value
        .as_bool()
        .ok_or_else(|| format!("trigger_params.{key}: true or false expected, was {value}"))
}

fn stable(object: &Object) -> Result<u64, String> {
    let Some(value) = object.get("stable_minutes") else {
        return Ok(0);
    };
    let minutes = value.as_u64().filter(|count| *count <= STABLE_MINUTES_MAX);
    let minutes = minutes.ok_or_else(|| {
        format!("trigger_params.stable_minutes: 0 to {STABLE_MINUTES_MAX} expected, was {value}")
    })?;
    Ok(minutes * MINUTE_US)
}

/// Returns the class of reasons that `code` belongs to, none where it never leads to a re-entry
/// (domain 5.1: time, manual and broker exits, and the operator's flattening).
pub fn reason_class(code: &str) -> Option<&'static str> {
    match code.parse::<ExitReason>().ok()? {
        ExitReason::Sl1
        | ExitReason::Sl2
        | ExitReason::HardStop
        | ExitReason::StopFloor
        | ExitReason::GapDown
        | ExitReason::BreakEven
        | ExitReason::CustomLoss => Some(LOSS),
        ExitReason::Trail | ExitReason::TrailPartial => Some("TRAIL"),
        ExitReason::Tp1 | ExitReason::Tp2 | ExitReason::Tp3 | ExitReason::CustomProfit => {
            Some("TP")
        }
        ExitReason::Flatten | ExitReason::Manual | ExitReason::Time => None,
    }
}

/// The class whose repetition lengthens cooldowns.
pub(super) const LOSS: &str = "SL";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_trigger_is_read_with_its_conditions() {
        let read = |value| ReentryTrigger::from_value(&value);
        let rebound = read(
            json!({"type": "REBOUND", "rebound": 0.02, "volume_ratio": 1.2,
            "structure_break": true, "stable_minutes": 15}),
        )
        .unwrap();
        assert_eq!(rebound.volume_ratio, 1_200_000);
        assert!(rebound.structure_break);
        assert_eq!((rebound.stable_us, rebound.momentum), (900_000_000, 0));
        assert!(!rebound.ranking_held);
        let chase = read(json!({"type": "CHASE"})).unwrap();
        assert_eq!(chase.kind, TriggerKind::Chase(Ratio::ZERO));
        assert_eq!((chase.momentum, chase.volatility_atr), (700_000, 3_000_000));
        assert!(chase.ranking_held);
        let free = read(json!({"type": "CHASE", "ranking_held": false})).unwrap();
        assert!(!free.ranking_held);
        let held = json!({"type": "REBOUND", "rebound": 0.02, "ranking_held": true});
        assert!(read(held).unwrap().ranking_held);
        let breakout = read(json!({"type": "BREAKOUT", "atr_k": 0.5})).unwrap();
        assert_eq!(breakout.kind, TriggerKind::Breakout(500_000));
    }

    #[test]
    fn faults_name_the_key() {
        for (value, start) in [
            (json!({}), "trigger_params.type"),
            (json!({"type": "REBOUND"}), "trigger_params.rebound"),
            (
                json!({"type": "REBOUND", "rebound": 0.5}),
                "trigger_params.rebound",
            ),
            (
                json!({"type": "REBOUND", "rebound": 0.1, "atr_k": 1}),
                "trigger_params.atr_k",
            ),
            (
                json!({"type": "BREAKOUT", "atr_k": 0.0000001}),
                "trigger_params.atr_k",
            ),
            (
                json!({"type": "CHASE", "momentum": 1.1}),
                "trigger_params.momentum",
            ),
            (
                json!({"type": "CHASE", "stable_minutes": 0.5}),
                "trigger_params.stable",
            ),
            (
                json!({"type": "CHASE", "structure_break": 1}),
                "trigger_params.structure",
            ),
            (
                json!({"type": "CHASE", "ranking_held": "yes"}),
                "trigger_params.ranking_held",
            ),
        ] {
            let error = ReentryTrigger::from_value(&value).unwrap_err();
            assert!(error.starts_with(start), "{error}");
        }
    }
}
