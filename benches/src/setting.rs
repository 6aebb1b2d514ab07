//! How the engine is run in a measurement.

use std::fmt;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use turnstile_dataflows::engine::{EngineConfig, Idle};
use turnstile_dataflows::exit::Fills;

/// What a worker does while no event waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IdleMode {
    /// Looks again at once.
    Spin,
    /// Sleeps.
    Park,
}

impl IdleMode {
    /// Returns the name as an argument.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::Park => "park",
        }
    }
}

impl fmt::Display for IdleMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What can be tuned.
#[derive(Clone, Copy, Debug, Args, Serialize)]
pub(crate) struct Setting {
    /// Worker threads.
    #[arg(long, default_value_t = Self::default().workers)]
    pub(crate) workers: usize,
    /// Events drained at one go at most.
    #[arg(long, default_value_t = Self::default().batch)]
    pub(crate) batch: usize,
    /// Microseconds that a drain waits for one more event.
    #[arg(long, default_value_t = Self::default().linger_us)]
    pub(crate) linger_us: u64,
    /// What a worker does while no event waits.
    #[arg(long, value_enum, default_value_t = Self::default().idle)]
    pub(crate) idle: IdleMode,
    /// Keep the views beside decisions too: best prices, and who has a slot of the stream.
    #[arg(long)]
    pub(crate) views: bool,
}

impl Default for Setting {
    /// That of the arguments.
    fn default() -> Self {
        Self {
            workers: 1,
            batch: EngineConfig::default().batch,
            linger_us: 0,
            idle: IdleMode::Park,
            views: false,
        }
    }
}

impl Setting {
    /// Returns the configuration of the engine.
    pub(crate) fn config(&self, fills: Fills) -> EngineConfig {
        EngineConfig {
            workers: self.workers,
            batch: self.batch,
            linger: Duration::from_micros(self.linger_us),
            idle: match self.idle {
                IdleMode::Spin => Idle::Spin,
                IdleMode::Park => Idle::Park,
            },
            fills,
            views: self.views,
            ..EngineConfig::default()
        }
    }

    /// Returns the setting as arguments of this program.
    pub(crate) fn arguments(&self) -> Vec<String> {
        [
            ("--workers", self.workers.to_string()),
            ("--batch", self.batch.to_string()),
            ("--linger-us", self.linger_us.to_string()),
            ("--idle", self.idle.name().to_owned()),
        ]
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value])
        .chain(self.views.then(|| "--views".to_owned()))
        .collect()
    }
}
