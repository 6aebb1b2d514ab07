//! A system under test: the real program, real servers, the simulated exchange on real sockets.
//!
//! Each [`System`] owns its servers and its folder and ends with them; ports are free ones.

mod api;
mod dice;
pub mod histories;
pub mod oracle;
mod processes;
mod system;

pub use api::Api;
pub use dice::Dice;
pub use processes::{Program, program};
pub use system::{ACCOUNT, Stock, System, eventually};
