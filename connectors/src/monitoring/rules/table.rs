//! The table itself, by area.

use std::time::Duration;

use super::{Rule, Unit, rule};
use crate::monitoring::metrics as names;
use crate::monitoring::reading::{Reading, Select};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Calls to others are few, so their shares look back further.
const CALLS: Duration = Duration::from_secs(300);
const DAY: Duration = Duration::from_secs(86_400);

/// What the broker answered, though not as wished, is no error of the API.
const KIS_ANSWERED: &[&str] = &["ok", "rejected", "token_refused"];

/// Every limit.
pub const RULES: &[Rule] = &[
    // Infrastructure: spec, section 6.
    rule(
        "db_query_time",
        "database query time (p95)",
        Unit::Seconds,
        Reading::Quantile(names::QUERY_SECONDS, 0.95),
    )
    .over(MINUTE, 20.0)
    .warning(0.1)
    .danger(0.5),
    rule(
        "cache_hit_rate",
        "cache hit rate",
        Unit::Share,
        Reading::Share(
            Select::all(names::CACHE_HITS),
            &[
                Select::all(names::CACHE_HITS),
                Select::all(names::CACHE_MISSES),
            ],
        ),
    )
    .over(MINUTE, 100.0)
    .below()
    .warning(0.8)
    .danger(0.5),
    rule(
        "api_errors_kis",
        "error rate of the broker's API",
        Unit::Share,
        Reading::Share(
            Select::except(names::KIS_CALLS, "outcome", KIS_ANSWERED),
            &[Select::all(names::KIS_CALLS)],
        ),
    )
    .over(CALLS, 20.0)
    .warning(0.01)
    .danger(0.05),
    rule(
        "api_errors_naver",
        "error rate of Naver's API",
        Unit::Share,
        Reading::Share(
            Select::except(names::NAVER_CALLS, "result", &["ok"]),
            &[Select::all(names::NAVER_CALLS)],
        ),
    )
    .over(CALLS, 20.0)
    .warning(0.01)
    .danger(0.05),
    rule(
        "db_pool_use",
        "database connections in use",
        Unit::Share,
        Reading::Mean(Select::all(names::POOL_USE)),
    )
    // A burst that is over at once is what a pool is for.
    .over(Duration::from_secs(10), 0.0)
    .warning(0.8)
    .danger(0.95),
    // Broker: domain.
    rule(
        "broker_stream_down",
        "sessions of the broker's stream",
        Unit::Count,
        Reading::Gauge(Select::all(names::WS_CONNECTED)),
    )
    .below()
    .danger(1.0)
    .exact()
    // As long as an outage is given to be over by itself (domain 2.4).
    .held(Duration::from_secs(2)),
    rule(
        "broker_stream_silent",
        "age of the stream's last message in session",
        Unit::Seconds,
        Reading::Gauge(Select::all(names::WS_SILENCE)),
    )
    .warning(10.0),
    rule(
        "broker_latency",
        "time of the broker's answers (p99)",
        Unit::Seconds,
        Reading::Quantile(names::KIS_SECONDS, 0.99),
    )
    .over(CALLS, 20.0)
    .warning(2.0),
    rule(
        "broker_throttled",
        "calls that the broker turned away as too many",
        Unit::Share,
        Reading::Share(
            Select::only(names::KIS_CALLS, "outcome", &["throttled"]),
            &[Select::all(names::KIS_CALLS)],
        ),
    )
    .over(MINUTE, 20.0)
    .warning(0.2),
    // Prices: domain.
    rule(
        "prices_stale",
        "followed symbols whose price is stale",
        Unit::Share,
        Reading::Ratio(
            Select::all(names::STALE_SYMBOLS),
            Select::all(names::FOLLOWED_SYMBOLS),
        ),
    )
    .danger(0.5)
    .held(SECOND),
    rule(
        "price_age",
        "age of the oldest followed price in session",
        Unit::Seconds,
        Reading::Gauge(Select::only(names::OLDEST_PRICE, "of", &["followed"])),
    )
    .danger(60.0),
    rule(
        "price_age_held",
        "age of the oldest price of a holding in session",
        Unit::Seconds,
        Reading::Gauge(Select::only(names::OLDEST_PRICE, "of", &["held"])),
    )
    .danger(30.0),
    rule(
        "price_lag",
        "mean time from a trade to its receipt",
        Unit::Seconds,
        Reading::Average(names::PRICE_LATENCY),
    )
    .warning(30.0),
    rule(
        "naver_timeouts",
        "calls to Naver that timed out",
        Unit::Share,
        Reading::Share(
            Select::only(names::NAVER_CALLS, "result", &["timed_out"]),
            &[Select::all(names::NAVER_CALLS)],
        ),
    )
    .over(MINUTE, 4.0)
    .warning(0.5),
    // Execution: domain.
    rule(
        "unfilled_sync_lag",
        "lateness of the list of unfilled orders",
        Unit::Seconds,
        Reading::Gauge(Select::all(names::UNFILLED_LAG)),
    )
    .warning(30.0),
    rule(
        "fills_sync_lag",
        "lateness of the list of fills",
        Unit::Seconds,
        Reading::Gauge(Select::all(names::FILLS_LAG)),
    )
    .warning(60.0),
    rule(
        "holdings_sync_lag",
        "lateness of the list of holdings",
        Unit::Seconds,
        Reading::Gauge(Select::all(names::HOLDINGS_LAG)),
    )
    .info(120.0),
    rule(
        "holdings_mismatch",
        "how long positions and holdings have differed",
        Unit::Seconds,
        Reading::Gauge(Select::all(names::MISMATCH_AGE)),
    )
    // A fill is in the holdings before its notice is applied: that is no mismatch yet.
    .warning(10.0)
    .danger(300.0),
    rule(
        "fill_processing",
        "time to take in a fill (p99)",
        Unit::Seconds,
        Reading::Quantile(names::FILL_SECONDS, 0.99),
    )
    .over(CALLS, 10.0)
    .warning(0.5),
    rule(
        "bootstrap_slow",
        "time that the start has taken so far",
        Unit::Seconds,
        Reading::Gauge(Select::all(names::BOOTSTRAP)),
    )
    .warning(60.0),
    rule(
        "order_open",
        "age of the oldest order at the broker",
        Unit::Seconds,
        Reading::Gauge(Select::all(names::OLDEST_OPEN_ORDER)),
    )
    .warning(300.0),
    // Exits: domain.
    rule(
        "engine_silent",
        "time since the engine's last evaluation",
        Unit::Seconds,
        Reading::Gauge(Select::all(names::EVALUATION_AGE)),
    )
    .danger(10.0),
    rule(
        "exit_intents_new",
        "age of the oldest decision that is not sent",
        Unit::Seconds,
        Reading::Gauge(Select::all(names::OLDEST_NEW_ORDER)),
    )
    .warning(300.0),
    rule(
        "duplicate_engine",
        "engines that are active",
        Unit::Count,
        Reading::Gauge(Select::all(names::ACTIVE_ENGINES)),
    )
    .danger(1.0)
    .exact(),
    // Picks: domain.
    rule(
        "picks_latency",
        "time to a pick's first verdict (p95)",
        Unit::Seconds,
        Reading::Quantile(names::PICK_SECONDS, 0.95),
    )
    .over(CALLS, 1.0)
    .warning(0.5),
    rule(
        "picks_conflicts",
        "picks that another run had decided",
        Unit::Count,
        Reading::Rise(Select::all(names::PICK_CONFLICTS)),
    )
    .over(DAY, 0.0)
    .warning(10.0),
    picks_gate(
        "picks_gate_freshness",
        "picks that had no fresh price, or no session",
        &["SESSION", "PRICE"],
    )
    .warning(0.2),
    picks_gate(
        "picks_gate_risk",
        "picks that a limit of risk refused or held",
        &[
            "CONTROL",
            "EQUITY",
            "CONSTRAINT",
            "EXPOSURE",
            "SYMBOL",
            "DAILY_LOSS",
            "ENTRIES",
            "SPACING",
            "DUPLICATE",
        ],
    )
    .warning(0.3),
    picks_gate(
        "picks_gate_key",
        "picks whose action key was used already",
        &["KEY"],
    )
    .warning(0.05),
    // Risk: domain, section 7. How near the account is to its limits as a whole is told by the events
    // `risk_orange` and `risk_red`.
    rule(
        "risk_usage",
        "usage of the limit of risk that is used most",
        Unit::Percent,
        Reading::Gauge(Select::all(names::RISK_USAGE)),
    )
    .warning(85.0),
    rule(
        "risk_single_weight",
        "weight of the heaviest name",
        Unit::Percent,
        Reading::Gauge(Select::all(names::RISK_LARGEST)),
    )
    .warning(12.0),
    rule(
        "risk_day_result",
        "realised result of the day",
        Unit::Percent,
        Reading::Gauge(Select::all(names::RISK_DAY_RESULT)),
    )
    .below()
    .warning(-2.0),
    rule(
        "risk_loss_buffer",
        "what is left of the loss that a day may bring",
        Unit::Percent,
        Reading::Gauge(Select::all(names::RISK_BUFFER)),
    )
    .below()
    .warning(20.0),
    // Re-entries: domain.
    rule(
        "reentry_snapshot_age",
        "age of the market regime that re-entries go by",
        Unit::Seconds,
        Reading::Gauge(Select::all(names::REGIME_AGE)),
    )
    .warning(300.0),
    rule(
        "reentries_per_day",
        "re-entries of the day",
        Unit::Count,
        Reading::Gauge(Select::all(names::REENTRIES_TODAY)),
    )
    .warning(20.0),
    rule(
        "reentry_regime_blocked",
        "refusals of re-entries of the day by the market regime",
        Unit::Share,
        Reading::Gauge(Select::all(names::REGIME_BLOCKED)),
    )
    .warning(0.8),
    rule(
        "reentry_success",
        "positions of re-entries, closed in the last month, that won",
        Unit::Share,
        Reading::Gauge(Select::all(names::REENTRY_SUCCESS)),
    )
    .below()
    .warning(0.3),
    rule(
        "reentry_whipsaw",
        "re-entries after a stop, closed in the last month, that a stop ended again",
        Unit::Share,
        Reading::Gauge(Select::all(names::REENTRY_WHIPSAW)),
    )
    .warning(0.5),
    rule(
        "reentry_holding",
        "median time that re-entries of the last month were held",
        Unit::Seconds,
        Reading::Gauge(Select::all(names::REENTRY_HOLDING)),
    )
    .below()
    .warning(600.0),
];

/// A share of a day's verdicts on picks: those of some gates.
const fn picks_gate(
    name: &'static str,
    title: &'static str,
    gates: &'static [&'static str],
) -> Rule {
    let of_gates = Select::only(names::PICK_REJECTS, "gate", gates);
    rule(name, title, Unit::Share, Reading::Share(of_gates, VERDICTS)).over(DAY, 10.0)
}

/// Every verdict on a pick: bought, or refused or held by a gate.
const VERDICTS: &[Select] = &[
    Select::only(names::PICK_DECISIONS, "decision", &["PLACED"]),
    Select::all(names::PICK_REJECTS),
];
