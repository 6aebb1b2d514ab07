//! The daily strategy in the real process: what a day is computed from, the dataflow over it, and its
//! snapshots.
//!
//! ```text
//! market.*, trade.positions, watchlist ─ load ─> Input ─ Feed, day by day ─> dataflow ─> Snapshot
//!                                                 └─ digest of what was fed ─┐             │
//! scheduler ─┐                                                               ▼             ▼
//! operator ──┼─> run, one at a time ─────────────────────────────────> strategy.runs, one snapshot a stage
//! requests ──┘                                                    portfolio ─ activate ─> DEL portfolio:{id}
//! ```
//!
//! 1. All days of a run are read in one snapshot of the database, and fed to one dataflow: a further
//!    day costs what differs. Nothing after a day is fed before it.
//! 2. What is fed for a day does not depend on the days before it in the run, so equal digests are equal
//!    results: a day whose digest is stored is given back rather than stored again.
//! 3. The connection that stores holds the lock of the runs: whoever lost it can store nothing. All
//!    stages of a day are one commit.
//! 4. A run may end after its first stage: the universe of a morning is stored alone. It never counts as
//!    one that has all stages.
//! 5. A universe that is not published ends the run as REFUSED; what stood before stays.

mod activate;
mod bounds;
mod config;
mod day;
mod error;
mod feed;
mod id;
mod job;
mod load;
mod names;
mod print;
mod rebalance;
mod requests;
mod run;
mod runs;
mod store;
mod universe_job;

pub use activate::{Activated, activate, portfolio_key};
pub use config::{RebalanceConfig, RebalanceDays, StrategyConfig};
pub use error::{ActivateError, StrategyError};
pub use id::{StrategyId, StrategyIdError};
pub use job::DailyStrategy;
pub use rebalance::Rebalance;
pub use requests::RunRequests;
pub use run::{Asked, Days, Scope, Told, run};
pub use runs::{DayRun, HeldName, RunState, Trigger, names_of_portfolio, run_of_day};
pub use universe_job::MorningUniverse;
