//! Risk: what an entry may do to the account (domain section 7).
//!
//! ```text
//! positions ─┐
//! prices ────┼─> names ─┬─> by sector
//! listings ──┤          ├─> by market ──┐
//! buys ──────┘          └─> account ────┼─> exposure ─┬─> check ─> pass, or the first refusal
//! results of sales ─> by day, by month ─┤             └─> report
//! equity ───────────────────────────────┘
//! ```
//!
//! 1. Entries alone are checked: exits go, whatever stands.
//! 2. Checks have a fixed order ([`CheckKind`]) and stop at the first that fails; what is not known
//!    fails the check that asks for it.
//! 3. Limits are inclusive. Weights are of the equity, which a purchase leaves as it is; they count
//!    what the order and all pending purchases will have made of the account. Everything is exact.
//! 4. A sale is realised on the day and in the month in Seoul on which its fill becomes known, against
//!    the average cost of its position at that time, net of fee and tax, whether the position goes on or ends. What a
//!    position lost on paper in the days before counts whole on the day it is sold, and what was sold of
//!    it on earlier days does not count again.
//! 5. The limit of the day takes realised results. That of the month takes total results: what is held
//!    counts with its loss against cost, at its last price, and without one at cost, so with none; a
//!    gain on paper makes up for nothing that was lost.
//!
//! Memory: a few words for each listed issue, each held symbol, each purchase under way, and each
//! sale of the month. A position leaves no trace but its share in the sums of its symbol.

mod check;
mod desk;
mod exposure;
mod limits;
mod report;
mod view;

pub use check::{CheckKind, CheckResult, Checked, Figures, Intent, check};
pub use desk::{RiskChange, RiskEvent, run};
pub use exposure::{ExposureRow, Issue, Name, Sector, Total};
pub use limits::{EmergencyStop, RiskLimits, RiskProfile, UnknownProfile};
pub use report::{ReportLevel, RiskReport, Usage};
pub use view::{Exposure, Reservation, RiskView, ViewChange};
