//! Backend for the frontend: HTTP, live data, OpenAPI and the web app's files.
//!
//! ```text
//! browser ── HTTP ──► router ─► api (one file per resource) ─► queries ─► PostgreSQL
//!    │                                    └─► cache-aside ─► Redis
//!    └── WebSocket ◄── live: hub ◄── prices (Redis channel, else PostgreSQL once a second)
//!        or events               ◄── changes (change feed of PostgreSQL)
//! ```
//!
//! 1. Every value comes from the stores; this process holds no truth of its own.
//! 2. A change is committed in PostgreSQL first, then the cached copy is deleted.
//! 3. Who acts is told to the database with every change, and audited there.
//! 4. Redis away slows answers down and changes nothing else.

pub mod access;
mod api;
mod config;
mod cursor;
mod envelope;
mod error;
mod extract;
mod health;
mod live;
mod metrics;
mod number;
mod openapi;
mod performance;
mod queries;
mod request;
mod router;
mod seoul;
mod server;
mod shared;
mod state;
mod versioned;
mod web_files;

pub use config::{BffConfig, ConfigFault};
pub use metrics::describe_metrics;
pub use openapi::openapi_json;
pub use server::{Bff, BffError};
