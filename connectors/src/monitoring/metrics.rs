//! Names of the metrics that limits are set to, and of monitoring itself. Labels are bounded sets.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, histogram};

/// Time of one statement of PostgreSQL on a pooled connection.
pub const QUERY_SECONDS: &str = crate::postgres::QUERY_SECONDS;
const STATEMENT_FAILURES: &str = crate::postgres::STATEMENT_FAILURES;
const TRANSACTIONS: &str = crate::postgres::TRANSACTIONS;
/// Connections of a pool in use, of those that it may hold, by `pool`.
pub const POOL_USE: &str = "postgres_pool_use_ratio";
/// 1 while PostgreSQL answers, by the probe of its own.
pub const POSTGRES_UP: &str = "postgres_up";
/// Time of the probe.
pub const PROBE_SECONDS: &str = "postgres_probe_seconds";
/// Reads that the cache answered.
pub const CACHE_HITS: &str = "cache_hits_total";
/// Reads that went to PostgreSQL.
pub const CACHE_MISSES: &str = "cache_misses_total";
/// Memory that Redis uses.
pub const CACHE_MEMORY: &str = "cache_memory_bytes";
/// Calls to the broker, by `operation` and `outcome`.
pub const KIS_CALLS: &str = crate::kis::metrics::CALLS;
/// Time of the broker's answers.
pub const KIS_SECONDS: &str = crate::kis::metrics::CALL_LATENCY;
/// Calls to Naver, by `result`.
pub const NAVER_CALLS: &str = crate::naver::metrics::CALLS;
/// Time of Naver's answers.
pub const NAVER_SECONDS: &str = crate::naver::metrics::CALL_LATENCY;
/// 1 while a session of the broker's stream is open.
pub const WS_CONNECTED: &str = "price_sync_ws_connected";
/// Age of the stream's last message; 0 out of session.
pub const WS_SILENCE: &str = "price_sync_ws_last_message_age_seconds";
/// Followed symbols whose best price is stale.
pub const STALE_SYMBOLS: &str = "price_sync_stale_symbols";
/// Symbols of which there is a best price.
pub const FOLLOWED_SYMBOLS: &str = "price_sync_followed_symbols";
/// Age of the oldest price, by `of` (followed, held); 0 out of session.
pub const OLDEST_PRICE: &str = "price_sync_oldest_age_seconds";
/// From a trade at the exchange, by its time in whole seconds, to its receipt.
pub const PRICE_LATENCY: &str = "price_sync_latency_seconds";
/// How late the list of unfilled orders is while orders are open.
pub const UNFILLED_LAG: &str = crate::execution::metrics::UNFILLED_LAG;
/// How late the list of fills is.
pub const FILLS_LAG: &str = crate::execution::metrics::FILLS_LAG;
/// How late the list of holdings is.
pub const HOLDINGS_LAG: &str = crate::execution::metrics::HOLDINGS_LAG;
/// How long the oldest difference of positions and holdings has stood; 0 without one.
pub const MISMATCH_AGE: &str = crate::execution::metrics::MISMATCH_AGE;
/// From the frame of a fill until everything follows.
pub const FILL_SECONDS: &str = crate::execution::metrics::FILL_LATENCY;
/// How long a start has taken that is not ready yet; 0 once it is.
pub const BOOTSTRAP: &str = "execution_bootstrap_seconds";
/// For how many seconds nobody had judged the positions when this engine began to.
pub const UNPROTECTED: &str = "execution_unprotected_seconds";
/// Age of the oldest order at the broker that has not ended; 0 without one.
pub const OLDEST_OPEN_ORDER: &str = "execution_oldest_open_order_seconds";
/// Age of the oldest order that is not sent; 0 without one.
pub const OLDEST_NEW_ORDER: &str = "execution_oldest_new_order_seconds";
/// Time since the engine's last evaluation.
pub const EVALUATION_AGE: &str = "exit_evaluation_age_seconds";
/// Engines that tell that they are active.
pub const ACTIVE_ENGINES: &str = "exit_active_engines";
/// Orders of the day that reached the broker, of those decided.
pub const CONVERSION: &str = "exit_intent_order_conversion_ratio";
/// From the arrival of a pick to its first verdict.
pub const PICK_SECONDS: &str = crate::picks::metrics::LATENCY;
/// Picks of symbols that had been decided that day by another run.
pub const PICK_CONFLICTS: &str = crate::picks::metrics::CONFLICTS;
/// Picks that a gate refused, or began to hold, by `gate`.
pub const PICK_REJECTS: &str = crate::picks::metrics::REJECTS;
/// Picks that were decided, by `decision`.
pub const PICK_DECISIONS: &str = crate::picks::metrics::DECISIONS;
/// Usage of each limit of risk, by `check_type`.
pub const RISK_USAGE: &str = crate::execution::metrics::RISK_USAGE;
/// Weight of the heaviest name.
pub const RISK_LARGEST: &str = crate::execution::metrics::RISK_LARGEST;
/// Realised result of the day, of the equity.
pub const RISK_DAY_RESULT: &str = crate::execution::metrics::RISK_DAY_RESULT;
/// What is left of the loss that a day may bring.
pub const RISK_BUFFER: &str = crate::execution::metrics::RISK_BUFFER;
/// Age of the market regime in force.
pub const REGIME_AGE: &str = "reentry_regime_age_seconds";
/// Re-entries of the day.
pub const REENTRIES_TODAY: &str = "reentry_entries_today";
/// Refusals of the day by the regime, of all refusals of the day.
pub const REGIME_BLOCKED: &str = "reentry_regime_blocked_ratio";
/// Positions of re-entries closed in the last month that won.
pub const REENTRY_SUCCESS: &str = "reentry_success_ratio";
/// Re-entries after a stop, closed in the last month, that a stop ended again.
pub const REENTRY_WHIPSAW: &str = "reentry_whipsaw_ratio";
/// Median time that re-entries of the last month were held.
pub const REENTRY_HOLDING: &str = "reentry_holding_seconds";

/// Alarms that stand, by `level`.
pub const ALARMS_OPEN: &str = "monitoring_alarms_open";
/// Messages to a channel, by `channel` and `result`.
pub const DELIVERIES: &str = "monitoring_deliveries_total";
/// What could not be kept for the database, since PostgreSQL was away for too long.
pub const WRITES_LOST: &str = "monitoring_writes_lost_total";
/// Time of one look at all limits.
pub const LOOK_SECONDS: &str = "monitoring_look_seconds";

/// Histograms that are kept in buckets, with their bounds in seconds: what limits are set to has to be
/// counted over any window, and limits are bounds.
pub const BUCKETS: &[(&str, &[f64])] = &[
    (QUERY_SECONDS, STORES),
    ("cache_call_seconds", STORES),
    (KIS_SECONDS, CALLS),
    (NAVER_SECONDS, CALLS),
    (FILL_SECONDS, STORES),
    (PICK_SECONDS, CALLS),
    (PRICE_LATENCY, CALLS),
];

const STORES: &[f64] = &[
    0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
];
const CALLS: &[f64] = &[
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0,
];

/// Shows, as zero, what has not happened yet and limits or dashboards look at.
pub(super) fn begin(has_engine: bool) {
    for name in [CACHE_HITS, CACHE_MISSES, WRITES_LOST, STATEMENT_FAILURES] {
        counter!(name).increment(0);
    }
    counter!(TRANSACTIONS, "outcome" => "committed").increment(0);
    counter!(DELIVERIES, "channel" => "webhook", "result" => "sent").increment(0);
    if !has_engine {
        return;
    }
    for name in [PICK_CONFLICTS, crate::execution::metrics::MISMATCHES] {
        counter!(name).increment(0);
    }
    for (name, label, value) in [
        (KIS_CALLS, "outcome", "ok"),
        (crate::kis::metrics::ERRORS, "class", "server"),
        (NAVER_CALLS, "result", "ok"),
        ("price_sync_ticks_total", "source", "KIS_WS"),
        (
            crate::execution::metrics::RISK_REJECTED,
            "check_type",
            "TOTAL_POSITIONS",
        ),
        (crate::exits::metrics::WITHHELD, "why", "STALE"),
        (PICK_REJECTS, "gate", "EXPOSURE"),
        (PICK_DECISIONS, "decision", "PLACED"),
    ] {
        counter!(name, label => value).increment(0);
    }
    for name in [NAVER_SECONDS, FILL_SECONDS, PICK_SECONDS, PRICE_LATENCY] {
        drop(histogram!(name));
    }
}

/// Describes the metrics of this module to the installed recorder.
pub fn describe() {
    for (name, text) in [
        (PROBE_SECONDS, "Time of a probe of PostgreSQL"),
        (PRICE_LATENCY, "From a trade to its receipt"),
        (LOOK_SECONDS, "Time of one look at all limits"),
    ] {
        describe_histogram!(name, Unit::Seconds, text);
    }
    for (name, text) in [
        (POOL_USE, "Connections of a pool in use, as a share"),
        (POSTGRES_UP, "1 while PostgreSQL answers"),
        (CACHE_MEMORY, "Memory that Redis uses, in bytes"),
        (WS_CONNECTED, "1 while a session of the stream is open"),
        (
            WS_SILENCE,
            "Age of the stream's last message; 0 out of session",
        ),
        (STALE_SYMBOLS, "Followed symbols whose price is stale"),
        (
            FOLLOWED_SYMBOLS,
            "Symbols of which there is or was a best price",
        ),
        (OLDEST_PRICE, "Age of the oldest price; 0 out of session"),
        (BOOTSTRAP, "How long a start has taken that is not ready"),
        (
            UNPROTECTED,
            "Seconds that positions were not judged before the start",
        ),
        (OLDEST_OPEN_ORDER, "Age of the oldest order at the broker"),
        (OLDEST_NEW_ORDER, "Age of the oldest order that is not sent"),
        (EVALUATION_AGE, "Time since the engine's last evaluation"),
        (ACTIVE_ENGINES, "Engines that tell that they are active"),
        (
            CONVERSION,
            "Orders of the day that reached the broker, as a share",
        ),
        (REGIME_AGE, "Age of the market regime in force"),
        (REENTRIES_TODAY, "Re-entries of the day"),
        (
            REGIME_BLOCKED,
            "Refusals of the day by the regime, as a share",
        ),
        (REENTRY_SUCCESS, "Re-entries of the month that won"),
        (REENTRY_WHIPSAW, "Re-entries after a stop that a stop ended"),
        (REENTRY_HOLDING, "Median time that re-entries were held"),
        (ALARMS_OPEN, "Alarms that stand"),
    ] {
        describe_gauge!(name, text);
    }
    describe_counter!(DELIVERIES, "Messages to a channel");
    describe_counter!(WRITES_LOST, "Alarms that could not be stored");
}
