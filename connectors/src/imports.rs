//! Files into the database: daily bars, and what else the daily strategy is computed from.
//!
//! ```text
//! file ─ RowFile ─> Import ─ portions ─> ImportRow::store ─> its table
//!                     └─> system.imports: known by content, how far it got
//! ```
//!
//! 1. A portion of a file and how far it got are one transaction. A file that is read again is under way
//!    from its first row on, until all of it is stored again.
//! 2. A row is written again only where it differs; importing a file twice changes nothing. Of two rows
//!    of one key the later one counts.
//! 3. An optional field that is empty says nothing: what is stored of it stays.
//! 4. An issue that nobody has told of gets a row of its own, market and type UNKNOWN, so that no row is
//!    lost; it is in no universe before somebody tells more.

mod daily;
mod disclosures;
mod flows;
mod fundamentals;
mod gaps;
mod import;
mod placeholders;
mod rankings;
mod sectors;

pub use gaps::{DayGap, Gaps, find_gaps};
pub use import::{Begun, Import, ImportError, ImportRow, Stored};
