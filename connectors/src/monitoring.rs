//! Monitoring: what the process measures, judged against limits; alarms that reach somebody.
//!
//! ```text
//! recorder ─ text ─> samples ─> windows ─> rules ─> hysteresis ─┐
//! best prices at prices that are waited for ────────────────────┤
//! probe of PostgreSQL, watchdog ────────────────────────────────┼─> episodes ─┬─> webhook, Telegram
//! alarms of the work, rows of system.logs ──────────────────────┘             └─> system.alarms
//! samples ─> system.metrics
//! ```
//!
//! 1. The table of limits is [`rules::RULES`], and nowhere else; the file or a row of `system.config` may put
//!    others in their place.
//! 2. An alarm is an episode: raised once, told again only where it becomes worse, cleared once it has
//!    been well for a while. A key is told at most once in [`MonitoringConfig::quiet`].
//! 3. Nothing here needs PostgreSQL to tell anybody anything; what could not be stored is stored later.
//! 4. Nothing that is watched ever waits for its watcher.

mod config;
pub(crate) mod delivery;
mod engine;
mod episodes;
mod events;
mod exposition;
mod facts;
mod history;
mod hysteresis;
mod limits;
mod look;
pub mod metrics;
mod monitor;
mod notice;
mod probe;
mod reading;
pub mod rules;
mod store;
mod watched;
mod wording;

pub use config::{MonitoringConfig, RuleSettings, TelegramConfig, WebhookConfig};
pub use engine::{EngineProgress, beat_engine};
pub use events::{EventSender, SystemEvent};
pub use facts::show_facts;
pub use monitor::{Monitor, MonitorParts, Watched};
pub use watched::{PriceAlerts, watch_prices};
