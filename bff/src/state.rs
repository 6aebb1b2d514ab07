//! What every handler may use.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::redis::Cache;
use turnstile_connectors::strategy::StrategyId;

use crate::access::{Guard, Keyring};
use crate::envelope::WrittenPage;
use crate::live::Live;
use crate::shared::SharedReads;

/// What every handler may use. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState(Arc<Shared>);

/// Handles to the stores and to the live part, and settings.
pub(crate) struct Shared {
    /// The strategy that is meant where a client names none.
    pub(crate) strategy: Arc<StrategyId>,
    pub(crate) db: Postgres,
    pub(crate) cache: Cache,
    pub(crate) live: Arc<Live>,
    /// Pages of positions.
    pub(crate) positions: SharedReads<WrittenPage>,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) keys: Keyring,
    pub(crate) guard: Guard,
    pub(crate) sessions: SessionSettings,
    /// How long a preview waits for the engine.
    pub(crate) preview_timeout: Duration,
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl From<Shared> for AppState {
    fn from(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

/// Sessions of browsers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionSettings {
    /// How long one lasts.
    pub(crate) life: Duration,
    /// Whether its cookie goes over TLS only.
    pub(crate) is_secure: bool,
}
