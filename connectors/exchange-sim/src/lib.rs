//! A simulated exchange and broker that speaks the KIS Open API.

mod auth;
mod broker;
mod call_log;
mod clock;
mod config;
mod control;
mod driver;
mod error;
mod exchange;
mod issue;
mod path;
mod price;
mod rest;
mod shared;
mod simulator;
mod state_file;
mod symbol;
mod ws;

pub use config::{
    AccountConfig, ClockConfig, ClockMode, ConfigFault, ConfigFaults, Environment, FillConfig,
    GeneratorConfig, HoldingConfig, KeepAliveConfig, LimitsConfig, Market, PathConfig, ScriptPoint,
    SimConfig, StockConfig, TicksConfig,
};
pub use error::SimError;
pub use price::{Price, PriceError};
pub use simulator::{Simulator, stocks_of_ticks};
pub use symbol::{Symbol, SymbolError};
