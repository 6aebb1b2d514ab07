//! Health and metrics.

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use tokio::time::timeout;
use turnstile_connectors::redis::BreakerState;
use utoipa::ToSchema;

use crate::envelope::Success;
use crate::error::{ApiError, Code, Failure, chain};
use crate::extract::NoParams;
use crate::live::Mode;
use crate::queries;
use crate::queries::health::Facts;
use crate::seoul::SeoulTime;
use crate::state::AppState;

/// A health check that takes longer is a failed one.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Health {
    /// As it should be.
    Ok,
    /// Everything works, slower: Redis is away.
    Degraded,
    /// It does not work.
    Down,
    /// It is not configured.
    Off,
}

/// Whether the process lives.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Liveness {
    status: Health,
}

/// Whether requests can be served.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    status: Health,
    database: Health,
    cache: Health,
}

/// How every part is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Detailed {
    status: Health,
    database: DatabaseHealth,
    cache: CacheHealth,
    feed: FeedHealth,
    prices: PriceHealth,
    /// WebSocket clients and streams that are connected.
    ws_clients: usize,
}

/// PostgreSQL and its pool.
#[derive(Debug, Serialize, ToSchema)]
struct DatabaseHealth {
    status: Health,
    pool_in_use: usize,
    pool_max: usize,
}

/// Redis.
#[derive(Debug, Serialize, ToSchema)]
struct CacheHealth {
    status: Health,
    /// closed: calls go out; open: Redis is isolated; half_open: one call tries.
    breaker: &'static str,
    /// Reads that the cache answered, since the start.
    hits: u64,
    /// Reads that went to PostgreSQL, since the start.
    misses: u64,
    /// Calls that failed, since the start.
    errors: u64,
}

/// The change feed.
#[derive(Debug, Serialize, ToSchema)]
struct FeedHealth {
    status: Health,
    /// Age of the oldest change that clients were not told of; 0 if there is none.
    lag_ms: Option<i64>,
}

/// Prices.
#[derive(Debug, Serialize, ToSchema)]
struct PriceHealth {
    /// redis or polling.
    #[schema(value_type = String)]
    mode: Mode,
    /// When the newest price was received.
    newest_ts: Option<SeoulTime>,
    /// Time since then.
    age_ms: Option<i64>,
}

/// Whether the process lives. Depends on nothing else.
#[utoipa::path(
    get, path = "/health", tag = "health",
    responses((status = 200, body = Success<Liveness>)),
)]
pub(crate) async fn live(_: NoParams) -> Success<Liveness> {
    Success::one(Liveness { status: Health::Ok })
}

/// Whether requests can be served: PostgreSQL must answer, Redis need not.
#[utoipa::path(
    get, path = "/health/ready", tag = "health",
    responses((status = 200, body = Success<Readiness>), (status = 503, body = Failure)),
)]
pub(crate) async fn ready(
    State(state): State<AppState>,
    _: NoParams,
) -> Result<Success<Readiness>, ApiError> {
    timeout(CHECK_TIMEOUT, queries::health::ping(&state.db))
        .await
        .map_err(|_| {
            ApiError::new(
                Code::DatabaseUnavailable,
                "the database did not answer in time",
            )
        })??;
    let cache = cache_health(&state).await;
    let status = if cache == Health::Ok {
        Health::Ok
    } else {
        Health::Degraded
    };
    Ok(Success::one(Readiness {
        status,
        database: Health::Ok,
        cache,
    }))
}

/// How every part is. Answers 200 whatever it is; `status` tells.
#[utoipa::path(
    get, path = "/api/health/detailed", tag = "health",
    responses((status = 200, body = Success<Detailed>)),
)]
pub(crate) async fn detailed(State(state): State<AppState>, _: NoParams) -> Success<Detailed> {
    Success::one(look(&state).await)
}

/// Returns how every part is.
pub(crate) async fn look(state: &AppState) -> Detailed {
    let feed_xid = *state.live.feed_xid.borrow();
    let (pool_in_use, pool_max) = (state.db.in_use(), state.db.size_max());
    let facts = match timeout(CHECK_TIMEOUT, queries::health::facts(&state.db, feed_xid)).await {
        Ok(Ok(facts)) => Some(facts),
        Ok(Err(error)) => {
            tracing::warn!(error = %chain(&error), "health check failed");
            None
        }
        Err(_elapsed) => None,
    };
    let cache = cache_health(state).await;
    let stats = state.cache.stats();
    let status = match (&facts, cache) {
        (None, _) => Health::Down,
        (Some(_), Health::Ok) => Health::Ok,
        (Some(_), _) => Health::Degraded,
    };
    let or_down = |is_ok| if is_ok { Health::Ok } else { Health::Down };
    let now = SeoulTime::now();
    let age_ms = |ts: SeoulTime| i64::try_from(now.since(ts).as_millis()).unwrap_or(i64::MAX);
    let Facts {
        newest_price,
        feed_waits_since,
    } = facts.clone().unwrap_or_default();
    let feed_is_ok = facts.is_some() && feed_xid.is_some();
    Detailed {
        status,
        database: DatabaseHealth {
            status: or_down(facts.is_some()),
            pool_in_use,
            pool_max,
        },
        cache: CacheHealth {
            status: cache,
            breaker: match stats.breaker {
                BreakerState::Closed => "closed",
                BreakerState::Open => "open",
                BreakerState::HalfOpen => "half_open",
            },
            hits: stats.hits,
            misses: stats.misses,
            errors: stats.errors,
        },
        feed: FeedHealth {
            status: or_down(feed_is_ok),
            lag_ms: feed_is_ok.then(|| feed_waits_since.map_or(0, age_ms)),
        },
        prices: PriceHealth {
            mode: *state.live.mode.borrow(),
            newest_ts: newest_price,
            age_ms: newest_price.map(age_ms),
        },
        ws_clients: state.live.clients(),
    }
}

/// Answers with the metrics of the process in Prometheus' text format.
pub(crate) async fn metrics(State(state): State<AppState>, _: NoParams) -> impl IntoResponse {
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        state.metrics.render(),
    )
}

async fn cache_health(state: &AppState) -> Health {
    if !state.cache.stats().is_enabled {
        Health::Off
    } else if state.cache.ping().await {
        Health::Ok
    } else {
        Health::Down
    }
}
