//! What cannot be stored while PostgreSQL is away, kept on disk until it is back.
//!
//! ```text
//! price sink, order sink, keeper ─> Spill::keep ─> {begin}-{pid}.spill (CRC32 and JSON a line)
//!     market.prices, trade.decisions_unstored, notices <─ restore ─┘
//! ```
//!
//! 1. What [`Spill::keep`] has taken survives the death of the process; a second later it survives that of
//!    the machine.
//! 2. A file belongs to the process that holds its lock. Whoever restores takes files that nobody holds.
//! 3. A file is removed once its ticks are in the database and its notices are with whoever restores; what
//!    dies with that one is in the broker's list. Restoring it twice changes nothing: a tick has its
//!    logical time, a notice that comes again counts for nothing.
//! 4. A line that is damaged is left out and told; its file stays, under another name. What a crash has cut
//!    off at the end is no damage: nobody was told that it was kept.
//! 5. A process keeps a limited number of bytes. What does not fit is refused whole.

mod config;
mod error;
mod file;
mod kept;
mod metrics;
mod restore;

pub use config::SpillConfig;
pub use error::SpillError;
pub use file::Spill;
pub use kept::Kept;
pub use metrics::describe;
pub use restore::{Restored, restore, store};
