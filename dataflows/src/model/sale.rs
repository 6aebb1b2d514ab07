//! What a sale brought.

use super::{LogicalTime, SaleId};

/// What a sale brought: one row of `trade.sale_results`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleResult {
    /// Identity of the sale.
    pub id: SaleId,
    /// When it was filled. Its day and month in Seoul are those that it counts to.
    pub sold: LogicalTime,
    /// Proceeds less fee, tax and average cost, in ten-thousandths of a won.
    pub units: i64,
}
