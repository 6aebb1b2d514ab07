//! What cached reads are compared with: a handler that does nothing but one GET on the Redis client of
//! the system and hands on what it finds.

use anyhow::Context;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clap::Args as ClapArgs;
use redis::aio::MultiplexedConnection;
use tokio::net::TcpListener;

/// Arguments of the hidden command that serves it.
#[derive(Debug, ClapArgs)]
pub(crate) struct BareArgs {
    #[arg(long)]
    redis_url: String,
}

/// Serves until the process ends; says its address first.
///
/// # Errors
/// If Redis is not there.
pub(crate) async fn serve(args: BareArgs) -> anyhow::Result<()> {
    let client = redis::Client::open(args.redis_url)?;
    let redis = client
        .get_multiplexed_async_connection()
        .await
        .context("Redis is not there")?;
    let router = Router::new()
        .route("/prices/{symbol}", get(price))
        .with_state(redis);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("Listening: {}", listener.local_addr()?);
    let listener = axum::serve::ListenerExt::tap_io(listener, |socket| {
        // As the server of the system does.
        drop(socket.set_nodelay(true));
    });
    Ok(axum::serve(listener, router).await?)
}

async fn price(
    State(mut redis): State<MultiplexedConnection>,
    Path(symbol): Path<String>,
) -> Response {
    let key = format!("price:{symbol}");
    let mut get = redis::cmd("GET");
    match get.arg(key).query_async::<Option<String>>(&mut redis).await {
        Ok(Some(text)) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
