//! What no setting and no portfolio may go beyond (domain 6.5).

use std::ops::RangeInclusive;

/// Names of a portfolio.
pub const NAMES: RangeInclusive<u32> = 5..=20;
/// Most of equity in one name, millionths.
pub const NAME_CAP: i64 = 300_000;
/// Most of equity in one sector, millionths.
pub const SECTOR_CAP: i64 = 600_000;
/// Least total of a name, whole points.
pub const TOTAL_MIN: i64 = 40;
