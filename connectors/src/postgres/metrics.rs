//! Names of the metrics of this module.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(super) const POOL_IN_USE: &str = "postgres_pool_connections_in_use";
pub(super) const POOL_WAIT_SECONDS: &str = "postgres_pool_wait_seconds";
pub(crate) const QUERY_SECONDS: &str = "postgres_query_seconds";
pub(crate) const STATEMENT_FAILURES: &str = "postgres_statement_failures_total";
pub(crate) const TRANSACTIONS: &str = "postgres_transactions_total";
pub(super) const COPY_ROWS: &str = "price_sink_rows_total";
pub(super) const COPY_SECONDS: &str = "price_sink_commit_seconds";
pub(super) const COPY_RETRIES: &str = "price_sink_retries_total";
pub(super) const UNKNOWN_SYMBOLS: &str = "price_sink_unknown_symbols_total";
pub(super) const REPEATED_ROWS: &str = "price_sink_repeated_rows_total";
pub(super) const REFUSED_ROWS: &str = "price_sink_refused_rows_total";
pub(super) const FEED_TRANSACTIONS: &str = "change_feed_transactions_total";
pub(super) const FEED_RECONNECTS: &str = "change_feed_reconnects_total";

/// Describes the metrics of this module to the installed recorder.
pub fn describe() {
    describe_gauge!(POOL_IN_USE, "Pooled connections handed out");
    describe_histogram!(
        POOL_WAIT_SECONDS,
        Unit::Seconds,
        "Wait for a pooled connection"
    );
    describe_histogram!(
        QUERY_SECONDS,
        Unit::Seconds,
        "Time of one statement on a pooled connection"
    );
    describe_counter!(STATEMENT_FAILURES, "Statements that failed");
    describe_counter!(TRANSACTIONS, "Transactions by how they ended");
    describe_counter!(COPY_ROWS, "Ticks committed to market.prices");
    describe_histogram!(
        COPY_SECONDS,
        Unit::Seconds,
        "Time to commit one batch of ticks"
    );
    describe_counter!(COPY_RETRIES, "Batches of ticks written again after a fault");
    describe_counter!(
        UNKNOWN_SYMBOLS,
        "Symbols that traded without a row in market.stocks"
    );
    describe_counter!(
        REPEATED_ROWS,
        "Ticks left out because they were taken before"
    );
    describe_counter!(
        REFUSED_ROWS,
        "Ticks that the database refused, kept in system.logs"
    );
    describe_counter!(
        FEED_TRANSACTIONS,
        "Transactions delivered by the change feed"
    );
    describe_counter!(
        FEED_RECONNECTS,
        "Connections of the change feed after the first"
    );
}
