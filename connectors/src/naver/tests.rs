//! Tests of the reference prices against the sample and a scripted server.

mod client;
mod config;
mod parse;
mod robust;
mod server;
