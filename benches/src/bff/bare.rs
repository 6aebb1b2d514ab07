//! What cached reads are compared with: a handler that does nothing but one GET and hands on what it finds.
//!
//! Its Redis client is like the system's: a pool of as many connections, each for one call at a time. Beside
//! it the same handler on one connection that all calls share, which Redis is asked quickest through.

use anyhow::Context;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clap::Args as ClapArgs;
use deadpool::managed::{Manager, Metrics, Pool, RecycleResult};
use redis::aio::MultiplexedConnection;
use redis::{Client, RedisError, RedisResult};
use tokio::net::TcpListener;
use turnstile_connectors::redis::RedisConfig;

/// Arguments of the hidden command that serves it.
#[derive(Debug, ClapArgs)]
pub(crate) struct BareArgs {
    #[arg(long)]
    redis_url: String,
}

/// Both ways to Redis.
#[derive(Clone)]
struct Redis {
    pool: Pool<Maker>,
    shared: MultiplexedConnection,
}

/// Makes connections of the pool.
struct Maker(Client);

impl Manager for Maker {
    type Type = MultiplexedConnection;
    type Error = RedisError;

    async fn create(&self) -> RedisResult<MultiplexedConnection> {
        self.0.get_multiplexed_async_connection().await
    }

    async fn recycle(
        &self,
        _: &mut MultiplexedConnection,
        _: &Metrics,
    ) -> RecycleResult<RedisError> {
        Ok(())
    }
}

/// Serves until the process ends; says its address first.
///
/// # Errors
/// If Redis is not there.
pub(crate) async fn serve(args: BareArgs) -> anyhow::Result<()> {
    let client = Client::open(args.redis_url)?;
    let shared = client
        .get_multiplexed_async_connection()
        .await
        .context("Redis is not there")?;
    let pool = Pool::builder(Maker(client))
        .max_size(RedisConfig::default().pool_max)
        .build()?;
    let router = Router::new()
        .route("/prices/{symbol}", get(price))
        .route("/shared/{symbol}", get(price_shared))
        .with_state(Redis { pool, shared });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("Listening: {}", listener.local_addr()?);
    let listener = axum::serve::ListenerExt::tap_io(listener, |socket| {
        // As the server of the system does.
        drop(socket.set_nodelay(true));
    });
    Ok(axum::serve(listener, router).await?)
}

async fn price(State(redis): State<Redis>, Path(symbol): Path<String>) -> Response {
    match redis.pool.get().await {
        Ok(mut lent) => answer(&mut lent, &symbol).await,
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn price_shared(State(mut redis): State<Redis>, Path(symbol): Path<String>) -> Response {
    answer(&mut redis.shared, &symbol).await
}

async fn answer(redis: &mut MultiplexedConnection, symbol: &str) -> Response {
    let key = format!("price:{symbol}");
    let mut get = redis::cmd("GET");
    match get.arg(key).query_async::<Option<String>>(redis).await {
        Ok(Some(text)) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
