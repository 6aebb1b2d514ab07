//! Decisions as they are compared: what was made now, and what is stored, in the same words.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio_postgres::{Error, Row};
use turnstile_dataflows::engine::Output;
use turnstile_dataflows::exit::{ExitDecision, ExitOutput};
use turnstile_dataflows::model::{LogicalTime, Price};
use turnstile_dataflows::reentry::{ReentryVerdict, Verdict};

use crate::execution::explained;

/// A decision that the engine has made again.
#[derive(Clone, Debug)]
pub enum Made {
    /// To sell.
    Exit(Box<ExitDecision>),
    /// To buy back: a verdict that submits.
    Entry(Box<ReentryVerdict>),
}

impl Made {
    /// Returns the decision in an output of the engine, if there is one.
    pub(super) fn of(output: Output) -> Option<Self> {
        match output {
            Output::Exit(ExitOutput::Decision(decision)) => Some(Self::Exit(decision)),
            Output::Reentry(verdict) if matches!(verdict.verdict, Verdict::Submit { .. }) => {
                Some(Self::Entry(verdict))
            }
            Output::Exit(_)
            | Output::Reentry(_)
            | Output::Unruled(_)
            | Output::Previewed(_)
            | Output::Price(_)
            | Output::Slot(..) => None,
        }
    }

    /// Returns the logical time of the decision.
    pub fn time(&self) -> LogicalTime {
        match self {
            Self::Exit(decision) => decision.time,
            Self::Entry(verdict) => verdict.time,
        }
    }

    /// Returns the candidate of a purchase.
    pub(super) fn candidate(&self) -> Option<&str> {
        match self {
            Self::Exit(_) => None,
            Self::Entry(verdict) => Some(verdict.candidate.as_str()),
        }
    }

    /// Returns the decision in the words of `trade.orders`; none of a verdict that submits nothing.
    pub(super) fn stated(&self) -> serde_json::Result<Option<Stated>> {
        match self {
            Self::Exit(decision) => of_exit(decision).map(Some),
            Self::Entry(verdict) => of_entry(verdict),
        }
    }
}

/// A decision in the words of `trade.orders`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stated {
    pub(super) action_key: String,
    /// The position that is sold, or the candidate that is bought for.
    pub(super) subject: String,
    pub(super) decided_us: u64,
    /// Everything else by name, the explanation by its own fields.
    pub(super) fields: BTreeMap<String, Value>,
}

impl Stated {
    fn new(action_key: &str, subject: &str, decided_us: u64, explanation: Value) -> Self {
        let mut stated = Self {
            action_key: action_key.to_owned(),
            subject: subject.to_owned(),
            decided_us,
            fields: BTreeMap::new(),
        };
        match explanation {
            Value::Object(parts) => stated.fields.extend(
                parts
                    .into_iter()
                    .map(|(part, value)| (format!("explanation.{part}"), value)),
            ),
            other => stated.put("explanation", other),
        }
        stated
    }

    fn put(&mut self, field: &str, value: impl Into<Value>) {
        self.fields.insert(field.to_owned(), value.into());
    }

    /// Reads a row of [`super::live`].
    pub(super) fn read(row: &Row) -> Result<Self, Error> {
        let decided_us: i64 = row.try_get("decided_us")?;
        let mut stated = Self::new(
            row.try_get("action_key")?,
            row.try_get("subject")?,
            u64::try_from(decided_us).unwrap_or_default(),
            row.try_get("explanation")?,
        );
        let text = |column| row.try_get::<_, Option<&str>>(column);
        let number = |column| row.try_get::<_, Option<i32>>(column);
        stated.put("side", text("side")?);
        stated.put("symbol", text("symbol")?);
        stated.put("reason", text("reason_code")?);
        stated.put("rule_id", text("rule_id")?);
        stated.put("phase", text("phase")?);
        stated.put("cycle", number("cycle")?);
        stated.put("attempt", number("attempt")?);
        stated.put("tick_us", row.try_get::<_, Option<i64>>("tick_us")?);
        stated.put("qty", row.try_get::<_, i64>("qty")?);
        stated.put("price", decimal(row.try_get("price")?));
        stated.put("level", decimal(row.try_get("level")?));
        stated.put("cancels", row.try_get::<_, Vec<String>>("cancels")?);
        Ok(stated)
    }
}

fn of_exit(decision: &ExitDecision) -> serde_json::Result<Stated> {
    let explanation = serde_json::to_value(&decision.explanation)?;
    let mut stated = Stated::new(
        decision.action_key.as_str(),
        decision.position.as_str(),
        decision.time.micros(),
        explanation,
    );
    let cancels = decision.cancels.iter().map(ToString::to_string);
    stated.put("side", "SELL");
    stated.put("symbol", decision.symbol.to_string());
    stated.put("reason", decision.reason.code());
    stated.put("rule_id", decision.rule_id.as_deref());
    stated.put("phase", decision.phase.name());
    stated.put("cycle", decision.cycle);
    stated.put("attempt", decision.attempt);
    stated.put("tick_us", decision.explanation.tick.micros());
    stated.put("qty", decision.qty.shares());
    stated.put("price", decimal(decision.price.to_decimal()));
    stated.put("level", decimal(decision.level.to_decimal()));
    stated.put("cancels", cancels.collect::<Vec<_>>());
    Ok(stated)
}

fn of_entry(verdict: &ReentryVerdict) -> serde_json::Result<Option<Stated>> {
    let Verdict::Submit {
        qty,
        level,
        reason,
        action_key,
        explanation,
    } = &verdict.verdict
    else {
        return Ok(None);
    };
    let mut stated = Stated::new(
        action_key.as_str(),
        verdict.candidate.as_str(),
        verdict.time.micros(),
        explained(verdict, explanation)?,
    );
    let price: Price = verdict.price.unwrap_or(*level);
    stated.put("side", "BUY");
    stated.put("symbol", verdict.symbol.to_string());
    stated.put("reason", &**reason);
    stated.put("rule_id", verdict.rule_id.as_deref());
    // What a purchase has none of stands in the table as by default.
    stated.put("phase", Value::Null);
    stated.put("cycle", Value::Null);
    stated.put("attempt", 1);
    stated.put("tick_us", verdict.tick.map(LogicalTime::micros));
    stated.put("qty", qty.shares());
    stated.put("price", decimal(price.to_decimal()));
    stated.put("level", decimal(level.to_decimal()));
    stated.put("cancels", json!([]));
    Ok(Some(stated))
}

fn decimal(value: Decimal) -> String {
    value.normalize().to_string()
}
