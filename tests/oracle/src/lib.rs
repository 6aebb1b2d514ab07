//! What the engine must decide, found a second time and naively, over random histories.
//!
//! A crate of its own, so that it is optimised where the tests of the running system are not: the
//! evaluators look at everything at each tick, for ten thousand histories and more.

mod dice;
pub mod histories;
pub mod oracle;
pub mod reentries;

pub use dice::Dice;
