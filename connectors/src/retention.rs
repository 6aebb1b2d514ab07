//! Retention of prices: days that are old leave `market.prices` for an archive.
//!
//! ```text
//! partition ─ COPY ─> .….partial ─ fsync, rename ─> prices_20261101.csv.gz ─ read back ─┐
//!                                                     └─ .sha256                        │
//!    market.prices_20261101 ──────── detach, move, row of system.archives: one commit <─┘
//!                         └─> archive.prices_20261101
//! ```
//!
//! 1. Nothing is deleted: a detached partition is a table of the schema `archive` until the operator
//!    drops it. No archive is written over; prices that come later for its day are a second part.
//! 2. A day leaves only after its archive was read back from the file, and holds as many rows, between
//!    the same two times, as the partition has under a lock that keeps late prices out.
//! 3. Days that anything alive still reads stay; see [`Hold`].
//! 4. Writers of other days never wait for retention: its locks on `market.prices` are taken where they
//!    are free or not at all, and held for the milliseconds of the detachment. A price of the day itself
//!    that comes while its partition is compared waits for that, and what is behind it waits too: some
//!    seconds at most, of a day that is old.
//! 5. A run that was killed at any point is finished by the next one: what lies in the folder and is in no
//!    row counts as the archive only if it has the content of the partition.

mod archive;
mod config;
mod days;
mod detach;
mod error;
mod file;
mod lines;
pub mod metrics;
mod record;
mod restore;

pub use archive::{Looked, MayGoOn, Retention};
pub use config::RetentionConfig;
pub use days::{Hold, HoldKind};
pub use error::RetentionError;
pub use record::{Archive, archives};
pub use restore::{Restored, restore, verify};

/// Held by whoever archives or restores, so that they do not meet.
const LOCK: i64 = 1_001;
