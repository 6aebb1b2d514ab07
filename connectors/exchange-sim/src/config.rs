//! Settings of the simulator.

mod defaults;
mod validate;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{price::Price, symbol::Symbol};

pub(crate) use validate::is_course;
pub use validate::{ConfigFault, ConfigFaults};

/// Everything that can be set. Absent keys take their default, unknown keys are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimConfig {
    /// Address of the REST service; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the WebSocket service; port 0 takes a free one.
    pub ws_listen: SocketAddr,
    /// Address of the control port; port 0 takes a free one.
    pub control_listen: SocketAddr,
    /// Which of the broker's two environments is played.
    pub environment: Environment,
    /// Accounts with their application keys.
    pub accounts: Vec<AccountConfig>,
    /// Issues that are traded. A tick file adds the issues that it names.
    pub stocks: Vec<StockConfig>,
    /// Limits of the broker's gateway.
    pub limits: LimitsConfig,
    /// Keep-alive messages on WebSocket sessions.
    pub keep_alive: KeepAliveConfig,
    /// Where prices come from.
    pub path: PathConfig,
    /// Highest number of trade records in one frame, 1 to 999.
    pub records_per_frame_max: usize,
    /// Fields of one trade record: 47 since 2026-09-14, 46 before.
    pub field_width: usize,
    /// The market's clock and calendar.
    pub clock: ClockConfig,
    /// How orders are filled.
    pub fills: FillConfig,
    /// Where account, orders and last prices are kept across restarts; absent: nowhere.
    pub state_file: Option<PathBuf>,
    /// Whether the price path stands still until it is resumed on the control port.
    pub paused: bool,
}

/// The broker's environments. They differ in TR ids, page sizes and what is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// TR ids `T...`, 100 orders and 50 holdings a page.
    Production,
    /// TR ids `V...`, 15 orders and 20 holdings a page, a few queries missing.
    Paper,
}

/// One account, with the keys that reach it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountConfig {
    /// Application key.
    pub app_key: String,
    /// Application secret.
    pub app_secret: String,
    /// Login id, the `tr_key` of execution notices.
    pub hts_id: String,
    /// First 8 digits of the account number.
    pub cano: String,
    /// Product code, the last 2 digits of the account number.
    pub acnt_prdt_cd: String,
    /// Name of the holder, as execution notices show it.
    pub account_name: String,
    /// Deposit at the first start, in KRW.
    pub cash: Decimal,
    /// Shares held at the first start.
    pub holdings: Vec<HoldingConfig>,
}

/// Shares held at the first start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldingConfig {
    /// Short code.
    pub symbol: Symbol,
    /// Number of shares, positive.
    pub qty: i64,
    /// Average purchase price in KRW.
    pub avg_price: Price,
}

/// One issue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StockConfig {
    /// Short code.
    pub symbol: Symbol,
    /// Name, as quotes and notices show it.
    pub name: String,
    /// Where it is listed.
    pub market: Market,
    /// Previous close in KRW: the reference of the daily price band.
    pub prev_close: Price,
    /// Volume of the previous day.
    #[serde(default = "defaults::prev_volume")]
    pub prev_volume: i64,
    /// Number of listed shares.
    #[serde(default = "defaults::listed_shares")]
    pub listed_shares: i64,
    /// What quotes say of the company.
    #[serde(default)]
    pub company: CompanyConfig,
    /// Course that the price is made to take, from the start of the path.
    #[serde(default)]
    pub script: Vec<ScriptPoint>,
}

/// What quotes say of a company.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CompanyConfig {
    /// Name of its sector; empty: not told.
    pub sector: String,
    /// Earnings a share in KRW, negative for a loss; 0: not told.
    pub eps: Decimal,
    /// Book value a share in KRW; 0: not told.
    pub bps: Decimal,
}

/// Where an issue is listed, and of what kind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Market {
    /// Shares on KOSPI.
    Kospi,
    /// Shares on KOSDAQ.
    Kosdaq,
    /// Exchange traded funds: tick 5 KRW, no sales tax, no after-market.
    Etf,
    /// An issue of a tick file that is not Korean: prices with decimals.
    Foreign,
}

/// A point of a price course. Between points the price moves in a straight line; after the last
/// one it stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptPoint {
    /// Time after the start of the course.
    #[serde(with = "humantime_serde")]
    pub after: Duration,
    /// Price at that time, in KRW.
    pub price: Price,
}

/// Limits of the broker's gateway. Zero lifts a limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// REST calls per second and application key; absent: that of the environment (18 or 1).
    pub rest_per_second: Option<u32>,
    /// Access tokens issued per minute and application key.
    pub token_per_minute: u32,
    /// Registrations per WebSocket session, all TRs together.
    pub registrations: usize,
}

/// Keep-alive messages on WebSocket sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeepAliveConfig {
    /// Time between PINGPONG messages; zero sends none.
    #[serde(with = "humantime_serde")]
    pub period: Duration,
    /// Time after which a session without an answer, or which takes no data, is cut.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

/// Where prices come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PathConfig {
    /// A seeded random walk.
    Generator(GeneratorConfig),
    /// A file of trades.
    Ticks(TicksConfig),
}

/// A seeded random walk of every issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GeneratorConfig {
    /// Seed of prices, volumes and the order of issues.
    pub seed: u64,
    /// Trades per second over all issues; 0 prints none of its own.
    pub ticks_per_second: u32,
    /// Typical move of the fair price from one trade to the next, in parts per million.
    pub volatility_ppm: u32,
    /// Chance of a jump at a trade, in parts per million.
    pub jump_chance_ppm: u32,
    /// Size of a jump, in hundredths of a percent.
    pub jump_size_bp: u32,
    /// Largest gap at the open, either way, in hundredths of a percent.
    pub gap_max_bp: u32,
    /// Chance of a trading halt at a trade, in parts per million.
    pub halt_chance_ppm: u32,
    /// Length of a trading halt.
    #[serde(with = "humantime_serde")]
    pub halt_for: Duration,
}

/// A file of trades with the columns `ts,symbol,price,volume`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicksConfig {
    /// A `.csv` or `.csv.gz` file.
    pub file: PathBuf,
    /// Multiple of the file's own pace; 0 is as fast as the clients take the trades.
    #[serde(default = "defaults::speed")]
    pub speed: Decimal,
}

/// The market's clock and calendar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockConfig {
    /// Whether the market has hours.
    pub mode: ClockMode,
    /// Seoul time at which the simulated clock starts; absent: the real time.
    pub start: Option<DateTime>,
    /// Pace of the simulated clock, 1 being the real one; up to three decimals.
    pub speed: Decimal,
    /// Weekdays on which the exchange is closed.
    pub holidays: Vec<Date>,
    /// Whether the calendar is offered in the paper environment as well, which the broker does not.
    pub calendar_on_paper: bool,
}

/// Whether the market has hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockMode {
    /// The regular session at any hour of any day.
    AlwaysOpen,
    /// The sessions and holidays of the exchange.
    Schedule,
}

/// How orders are filled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FillConfig {
    /// Time from the acceptance of an order, cancel or replacement to its effect.
    #[serde(with = "humantime_serde")]
    pub latency: Duration,
    /// Chance that a fill takes only a part of the remainder, in percent.
    pub partial_chance_pct: u32,
    /// Largest quantity of one fill; 0 sets no bound.
    pub chunk_max: i64,
    /// Ticks by which a market order trades behind the quoted price.
    pub slippage_ticks: u32,
    /// Commission a side, in parts per thousand million of the amount.
    pub commission_ppb: u32,
    /// Tax on sales of shares, in parts per thousand million of the amount.
    pub sales_tax_ppb: u32,
}

impl Default for SimConfig {
    fn default() -> Self {
        let free_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: free_port,
            ws_listen: free_port,
            control_listen: free_port,
            environment: Environment::Production,
            accounts: vec![AccountConfig::default()],
            stocks: defaults::stocks(),
            limits: LimitsConfig::default(),
            keep_alive: KeepAliveConfig::default(),
            path: PathConfig::default(),
            records_per_frame_max: 4,
            field_width: 47,
            clock: ClockConfig::default(),
            fills: FillConfig::default(),
            state_file: None,
            paused: false,
        }
    }
}

impl Default for AccountConfig {
    fn default() -> Self {
        Self {
            app_key: "PSsimulated0000000000000000000000001".to_owned(),
            app_secret: "simulated-secret-".repeat(11).chars().take(180).collect(),
            hts_id: "demo0001".to_owned(),
            cano: "50123456".to_owned(),
            acnt_prdt_cd: "01".to_owned(),
            account_name: "홍길동".to_owned(),
            cash: Decimal::from(100_000_000),
            holdings: Vec::new(),
        }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            rest_per_second: None,
            token_per_minute: 1,
            registrations: 41,
        }
    }
}

impl Default for KeepAliveConfig {
    fn default() -> Self {
        Self {
            period: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
        }
    }
}

impl Default for PathConfig {
    fn default() -> Self {
        Self::Generator(GeneratorConfig::default())
    }
}

impl Default for GeneratorConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            ticks_per_second: 20,
            volatility_ppm: 300,
            jump_chance_ppm: 200,
            jump_size_bp: 150,
            gap_max_bp: 100,
            halt_chance_ppm: 0,
            halt_for: Duration::from_secs(120),
        }
    }
}

impl Default for ClockConfig {
    fn default() -> Self {
        Self {
            mode: ClockMode::AlwaysOpen,
            start: None,
            speed: Decimal::ONE,
            holidays: defaults::holidays(),
            calendar_on_paper: false,
        }
    }
}

impl Default for FillConfig {
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(10),
            partial_chance_pct: 0,
            chunk_max: 0,
            slippage_ticks: 0,
            // Published for the broker, 0.0140527 %.
            commission_ppb: 140_527,
            // 0.20 % on transfers from 2026-01-01, KOSPI and KOSDAQ alike.
            sales_tax_ppb: 2_000_000,
        }
    }
}
