//! Daily bars: what a day was for each issue, and what follows from it for the next session. Beside
//! them the bars of one minute, made of stored prices.
//!
//! ```text
//! file ─> imports ──┐
//! broker ──────────>├─ store ─> market.daily_bars ─ refresh ─> market.symbol_context ─> engine
//! ```
//!
//! 1. A bar is written again only where it differs; importing a file twice changes nothing.
//! 2. The context of a session comes from bars up to the trading day before it. An issue whose last
//!    bar is older has none: an old close is no reference.

mod context;
mod minutes;
mod store;

pub use context::{Refreshed, refresh};
pub use minutes::gather_minutes;
pub use store::{BarSource, store};
