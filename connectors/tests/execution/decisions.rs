//! Decisions as the engine would make them.

use std::sync::Arc;

use turnstile_connectors::execution::{EngineOutput, SinkItem};
use turnstile_dataflows::exit::{ExitDecision, Explanation, Orders, RuleLevel, Runs};
use turnstile_dataflows::model::{
    ActionKey, ExitMode, ExitReason, LogicalTime, Phase, PositionId, PositionMode, Price, Quantity,
    Regime,
};
use turnstile_dataflows::reentry::{EntryExplanation, ReentryVerdict, TapeFigures, Verdict};

pub(crate) const DECIDED: LogicalTime = LogicalTime::from_micros(1_795_480_000_000_000);

pub(crate) fn shares(shares: i64) -> Quantity {
    Quantity::new(shares).unwrap()
}

pub(crate) fn won(won: i64) -> Price {
    Price::from_won(won).unwrap()
}

/// A decision to sell `qty` of the 100 shares of a position in its first cycle.
pub(crate) fn exit(position: &str, reason: ExitReason, qty: i64) -> ExitDecision {
    exit_in(position, reason, qty, Phase::Open, 1)
}

pub(crate) fn exit_in(
    position: &str,
    reason: ExitReason,
    qty: i64,
    phase: Phase,
    attempt: u32,
) -> ExitDecision {
    let id: PositionId = position.parse().unwrap();
    let rank = u64::from(reason.severity()) + u64::from(attempt) * 1_000;
    ExitDecision {
        time: DECIDED.plus_micros(rank),
        position: id.clone(),
        symbol: "005930".parse().unwrap(),
        reason,
        rule_id: None,
        phase,
        cycle: 1,
        attempt,
        qty: shares(qty),
        price: won(70_000),
        level: won(70_000),
        action_key: ActionKey::exit(&id, 1, phase, reason, None, attempt),
        cancels: Vec::new(),
        explanation: Explanation {
            time: DECIDED.plus_micros(rank),
            tick: DECIDED,
            last: won(70_000),
            bid: None,
            position: id.clone(),
            symbol: "005930".parse().unwrap(),
            position_version: 1,
            position_mode: PositionMode::Enabled,
            entry: LogicalTime::default(),
            cycle: 1,
            phase,
            remaining: shares(100),
            available: shares(100),
            original_qty: shares(100),
            avg_price: Some(won(65_000)),
            profile: "default".parse().unwrap(),
            profile_version: 1,
            profile_level: RuleLevel::Default,
            rules: Arc::default(),
            atr_pct_millionths: None,
            prev_close: None,
            high_water_mark: Some(won(71_000)),
            high_water_tick: None,
            floor: None,
            runs: Runs::default(),
            mode: ExitMode::Running,
            mode_since: LogicalTime::default(),
            orders: Orders::default(),
            manual: Vec::new(),
        },
    }
}

pub(crate) fn item(decision: &ExitDecision) -> SinkItem {
    SinkItem {
        output: EngineOutput::Exit(Box::new(decision.clone())),
        received_us: Some(DECIDED.micros()),
    }
}

/// A verdict about the candidate of an exit event, `step` microseconds after the first.
pub(crate) fn verdict(exit_event: &str, step: u64, verdict: Verdict) -> SinkItem {
    let verdict = ReentryVerdict {
        time: DECIDED.plus_micros(1_000_000 + step),
        candidate: exit_event.parse().unwrap(),
        exit_event: exit_event.parse().unwrap(),
        symbol: "005930".parse().unwrap(),
        rule_id: Some("rebound".into()),
        regime: Regime::Neutral,
        is_first: matches!(verdict, Verdict::Cooldown { .. }),
        price: Some(won(71_000)),
        tick: Some(DECIDED),
        verdict,
    };
    SinkItem {
        output: EngineOutput::Reentry(Box::new(verdict)),
        received_us: None,
    }
}

pub(crate) fn submit(exit_event: &str, qty: i64) -> Verdict {
    Verdict::Submit {
        qty: shares(qty),
        level: won(70_500),
        reason: "REENTRY_REBOUND".into(),
        action_key: ActionKey::entry(&exit_event.parse().unwrap(), 1),
        explanation: Box::new(EntryExplanation {
            exit_price: won(70_000),
            exit: DECIDED,
            exit_reason: "SL2".into(),
            original_qty: shares(100),
            prior_hwm: None,
            rule: "rebound".into(),
            regime: Regime::Neutral,
            is_regime_known: true,
            entries_today: 0,
            entries_of_week: 0,
            cooldown_until: DECIDED,
            reached_since: DECIDED,
            atr_pct_millionths: None,
            prev_close: None,
            ranked_as_of: None,
            tape: TapeFigures {
                recent_volume: 0,
                base_volume: None,
                swing_high: None,
                rising: None,
                range: None,
            },
        }),
    }
}
