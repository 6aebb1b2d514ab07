//! Names of the metrics of execution.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// From the frame that caused a decision until its order row was committed.
pub const COMMIT_LATENCY: &str = "execution_order_commit_latency_seconds";
/// From the frame that caused a decision until its order was put to the broker.
pub const SEND_LATENCY: &str = "execution_order_send_latency_seconds";
/// How long an order that is about to be sent waits for its price to be durable; SENDING is committed
/// meanwhile.
pub const PRICE_WAIT: &str = "execution_order_price_wait_seconds";
/// How long SENDING takes to be committed, with the wait for a transaction under way.
pub const MARK_DURATION: &str = "execution_order_mark_duration_seconds";
/// Duration of a call that puts an order to the broker.
pub const POST_DURATION: &str = "execution_order_post_duration_seconds";
/// Duration of the transaction that stores news about an order.
pub const APPLY_DURATION: &str = "execution_fill_apply_duration_seconds";
/// From the frame of a fill until position, exit event and the deletion of cached values are done.
pub const FILL_LATENCY: &str = "execution_fill_done_latency_seconds";
/// Items that the order sink stored, by `kind` (exit, entry, verdict, repeated).
pub const SINK_STORED: &str = "execution_sink_stored_total";
/// Items that the order sink set aside because the database refuses them.
pub const SINK_SET_ASIDE: &str = "execution_sink_set_aside_total";
/// Attempts to put an order to the broker, by `outcome`.
pub const SENT: &str = "execution_orders_sent_total";
/// Orders that wait to be sent.
pub const WAITING: &str = "execution_orders_waiting_orders";
/// Orders held back, by `cause` (closed, account), counted once per order.
pub const HELD: &str = "execution_orders_held_total";
/// Unknown outcomes settled, by `result` (adopted, absent).
pub const RESOLVED: &str = "execution_unknown_resolved_total";
/// Execution notices, by `result` (applied, repeated, buffered, unmatched, dropped).
pub const NOTICES: &str = "execution_notices_total";
/// Shares executed, by `side` and `source`.
pub const FILLED: &str = "execution_filled_shares_total";
/// Complete order lists read.
pub const POLLS: &str = "execution_polls_total";
/// Order lists that failed or were incomplete.
pub const POLL_FAILURES: &str = "execution_poll_failures_total";
/// Orders of the account that this system did not give, by `side`.
pub const FOREIGN: &str = "execution_foreign_orders_total";
/// Complete lists of holdings read.
pub const HOLDINGS: &str = "execution_holdings_total";
/// Lists of holdings that failed or were incomplete.
pub const HOLDINGS_FAILURES: &str = "execution_holdings_failures_total";
/// Symbols of which the broker holds another quantity than the positions.
pub const HOLDINGS_DIFFERENT: &str = "execution_holdings_different_symbols";
/// By how much the list of unfilled orders is later than it should be; 0 without open orders.
pub const UNFILLED_LAG: &str = "execution_unfilled_sync_lag_seconds";
/// By how much the list of fills is later than it should be.
pub const FILLS_LAG: &str = "execution_fills_sync_lag_seconds";
/// By how much the list of holdings is later than it should be.
pub const HOLDINGS_LAG: &str = "execution_holdings_sync_lag_seconds";
/// Differences of positions and holdings that began.
pub const MISMATCHES: &str = "execution_holdings_position_mismatch_total";
/// How long the oldest difference of positions and holdings has stood; 0 without one.
pub const MISMATCH_AGE: &str = "execution_holdings_mismatch_age_seconds";
/// Orders that the broker has and that have not ended.
pub const LIVE: &str = "execution_live_orders";
/// Alarms that could not be stored, since their queue was full.
pub const ALARMS_DROPPED: &str = "execution_alarms_dropped_total";
/// Entries that the risk gate approved.
pub const RISK_APPROVED: &str = "risk_checks_approved_total";
/// Entries that the risk gate refused, by `check_type`.
pub const RISK_REJECTED: &str = "risk_checks_rejected_total";
/// Usage of each limit, by `check_type`.
pub const RISK_USAGE: &str = "risk_usage_percent";
/// Weight of the heaviest name.
pub const RISK_LARGEST: &str = "risk_largest_weight_percent";
/// Realised result of the day in percent of the equity.
pub const RISK_DAY_RESULT: &str = "risk_day_result_percent";
/// What is left of the loss that a day may bring.
pub const RISK_BUFFER: &str = "risk_daily_loss_buffer_percent";

/// Describes every metric of this module to the recorder.
pub fn describe() {
    let histograms = [
        (COMMIT_LATENCY, "Frame read until order row committed"),
        (SEND_LATENCY, "Frame read until order put to the broker"),
        (FILL_LATENCY, "Frame of a fill until everything follows"),
        (PRICE_WAIT, "Wait of an order for its price to be durable"),
        (MARK_DURATION, "Commit of SENDING, with its wait"),
        (POST_DURATION, "Call that puts an order to the broker"),
        (
            APPLY_DURATION,
            "Transaction that stores news about an order",
        ),
    ];
    for (name, text) in histograms {
        describe_histogram!(name, Unit::Seconds, text);
    }
    let counters = [
        (SINK_STORED, "Items stored by the order sink"),
        (SINK_SET_ASIDE, "Items that the database refuses"),
        (SENT, "Attempts to put an order to the broker"),
        (HELD, "Orders held back"),
        (RESOLVED, "Unknown outcomes settled"),
        (NOTICES, "Execution notices"),
        (FILLED, "Shares executed"),
        (POLLS, "Complete order lists read"),
        (POLL_FAILURES, "Order lists that failed or were incomplete"),
        (FOREIGN, "Orders that this system did not give"),
        (HOLDINGS, "Complete lists of holdings read"),
        (
            HOLDINGS_FAILURES,
            "Lists of holdings that failed or were incomplete",
        ),
        (
            MISMATCHES,
            "Differences of positions and holdings that began",
        ),
        (ALARMS_DROPPED, "Alarms that could not be queued"),
        (RISK_APPROVED, "Entries that the risk gate approved"),
        (RISK_REJECTED, "Entries that the risk gate refused"),
    ];
    for (name, text) in counters {
        describe_counter!(name, text);
    }
    describe_gauge!(WAITING, "Orders that wait to be sent");
    describe_gauge!(
        HOLDINGS_DIFFERENT,
        "Symbols held in another quantity than at the broker"
    );
    let percents = [
        (RISK_USAGE, "Usage of a risk limit"),
        (RISK_LARGEST, "Weight of the heaviest name"),
        (RISK_DAY_RESULT, "Realised result of the day, of the equity"),
        (RISK_BUFFER, "What is left of the loss that a day may bring"),
    ];
    for (name, text) in percents {
        describe_gauge!(name, Unit::Percent, text);
    }
    let lags = [
        (UNFILLED_LAG, "Lateness of the list of unfilled orders"),
        (FILLS_LAG, "Lateness of the list of fills"),
        (HOLDINGS_LAG, "Lateness of the list of holdings"),
        (
            MISMATCH_AGE,
            "How long positions and holdings have differed",
        ),
    ];
    for (name, text) in lags {
        describe_gauge!(name, Unit::Seconds, text);
    }
    describe_gauge!(LIVE, "Orders at the broker that have not ended");
}
