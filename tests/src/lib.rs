//! A system under test: the real program, real servers, the simulated exchange on real sockets.
//!
//! Each [`System`] owns its servers and its folder and ends with them; ports are free ones. A
//! [`Yard`] kills the engine of one and starts it again; the [`judge`] says what must hold then.

mod api;
pub mod crash;
mod data;
pub mod faults;
pub mod judge;
pub mod market;
mod processes;
pub mod random;
pub mod reference;
mod replicas;
mod system;
mod ticker;
mod webhook;
mod yard;

pub use api::Api;
pub use data::data;
pub use processes::{Program, program};
pub use replicas::Replicas;
pub use system::{ACCOUNT, Replay, Stock, System, clear_of_midnight, connect, eventually};
pub use ticker::{Ticker, Told};
pub use webhook::{Message, Webhook};
pub use yard::{Held, Yard, setting};
