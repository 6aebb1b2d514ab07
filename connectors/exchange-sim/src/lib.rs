//! A simulated exchange and broker that speaks the KIS Open API, for domestic equities.
//!
//! ```text
//!              ┌── REST ──────── tokens, orders, queries ──┐
//! clients ─────┤                                           ├── exchange ◄── price path
//!              ├── WebSocket ─── trades, notices ──────────┤      │         (generator or file)
//!              └── REST ──────── Naver's prices ───────────┘      │
//! tests ────────── control port ─ prices, time, faults, log ──────┘
//! ```
//!
//! [`Simulator::start`] takes a [`SimConfig`], whose default is a market that is always open, with
//! 22 well-known issues and one account, on free ports. The three services have an address each.
//! The crate shares no protocol code with the connectors, so that an error in one does not hide
//! the same error in the other.
//!
//! # REST
//! `POST /oauth2/{tokenP,revokeP,Approval}`, `/uapi/hashkey`; under
//! `/uapi/domestic-stock/v1/trading/`: `order-cash`, `order-rvsecncl`, `inquire-daily-ccld`,
//! `inquire-balance`, `inquire-psbl-order`, and in production `inquire-psbl-rvsecncl`,
//! `inquire-psbl-sell`; under `.../quotations/`: `inquire-price`, `inquire-daily-itemchartprice`
//! (days to years), `search-stock-info`, and in production `chk-holiday`. Old and new TR ids, limits, error codes and
//! pages are those of the chosen [`Environment`].
//!
//! # WebSocket
//! `H0STCNT0` trades and `H0STCNI0` (production) or `H0STCNI9` (paper) encrypted notices, on any
//! path; 41 registrations a session, one session a key, PINGPONG answered by echo or Pong frame.
//! Connections end without a close frame. Records of one issue that follow each other may share a
//! frame. A slow client holds up the price path; nothing is dropped.
//!
//! # Naver
//! `GET /api/realtime/domestic/stock/{code},{code}...` at the REST address: the same market in the
//! shape of Naver Finance's polling service, without keys, limits or an entry in the call log.
//! `marketStatus` and the times are those of the simulated clock. Unknown codes are left out. The
//! faults of the broker do not touch it.
//!
//! # Market
//! Orders of the types 00-06, 11-16 and 41-47 trade against the price path, which they do not move:
//! an order that comes in at the quote of the other side, one that waits at its limit as soon as a
//! trade prints at or beyond it, one from a call auction at the auction's price. Cash, sellable
//! quantity, symbol, session and form are refused by the answer, the price band and the tick grid
//! by a notice. Commission and sales tax are booked. Orders lapse at the end of their part of the
//! day (regular, after the close, after-market) without notice, and then show `rmn_qty` 0.
//!
//! # Control port
//! | call | body or answer |
//! |---|---|
//! | `GET /session` | `is_open`, `session`, `now`, `date`, `time`, `trading_day` |
//! | `GET /status` | `paused`, `ticks`, `ticks_total`, `finished`, `records_sent`, `notices_sent`, `sessions` |
//! | `GET /orders?after=n`, `/holdings` | the broker's books; all orders, or those with a higher number |
//! | `GET /log?after=n` | the last 10,000 REST calls: `seq`, `at_us`, `method`, `path`, `tr_id`, `body`, `outcome` |
//! | `POST /pause`, `/resume` | stops and starts the price path |
//! | `POST /price` | `{symbol, price, volume?}` prints one trade |
//! | `POST /script` | `{symbol, points: [{after_ms, price}]}`; no points: wander again |
//! | `POST /clock` | `{start?, speed?}`; start is Seoul time such as `2026-11-16T09:00:00` |
//! | `POST /holidays` | `{date, is_open}`: announces a day; the calendar tells it, and a market with hours keeps it |
//! | `POST /stocks` | `{symbol, suspended?, managed?, delisted?}`: state of a listing, last day where it ends |
//! | `POST /orders` | `{symbol, side, qty, price?, cano?}`: an order by another terminal of the account, at market without a price; answers `number` |
//! | `POST /orders/cancel` | `{number, qty?}`: cancels by another terminal |
//! | `POST /holdings` | `{symbol, qty, cano?}` sets a holding without any order, as the broker may |
//! | `GET /faults`, `POST /faults` | the faults below |
//!
//! | fault | what goes wrong |
//! |---|---|
//! | `delay_ms` | every REST answer comes so much later; the call is executed at once |
//! | `next_n_http_5xx` | so many REST calls are answered with HTTP 503 and not executed |
//! | `rate_limit_next` | so many REST calls are refused with `EGW00201` and not executed |
//! | `accept_then_silent` | so many orders, cancels and replacements are executed and not answered |
//! | `accept_then_5xx` | executed, and answered with HTTP 500: a count, or `{count?, code?}` with `EGW00302` as code |
//! | `accept_then_garbage` | so many are executed, and answered with HTTP 200 and half a body |
//! | `reject_next` | orders are refused: a code, or `{code?, count?, by_notice?}` |
//! | `duplicate_notices`, `reorder_notices`, `suppress_notices` | every notice comes twice, in swapped pairs, not at all |
//! | `lose_notices` | so many notices are lost |
//! | `delay_notices_ms` | every notice comes so much later, to within 50 ms, in order |
//! | `fill_in_pieces` | fills of at most so many shares: a number, or `{shares, every_ms?}` with 20 ms between them; 0: as the settings say |
//! | `stop_quotes` | no trade records |
//! | `truncate_frames` | trade frames that are cut off in the middle of a record |
//! | `registrations_max` | registrations that a session may hold, in place of the settings |
//! | `kis_down` | every REST call of the broker is answered with HTTP 503 and not executed; sessions are cut and refused |
//! | `naver_down`, `naver_blocked` | Naver's prices are answered with HTTP 503, with HTTP 403 |
//! | `naver_delay_ms` | Naver's prices come so much later |
//! | once: `drop_connections`, `expire_tokens`, `send_raw` | cuts the sessions, lets tokens expire, sends a text |
//! | once: `mute_connections`, `freeze_connections` | open sessions are told nothing more; they are forgotten and their connections left half open |
//! | once: `clear` | takes back every fault first |
//!
//! Faults do not survive a restart; books, orders with their numbers, and prices do, where there is
//! a state file. `GET /orders` is the ledger to judge a client by: each order of the last days with
//! `side`, `quantity`, `filled`, `remaining`, `at`, and `is_manual` where another terminal gave it.
//!
//! # Deviations from the broker
//! 1. A tick file may have prices with decimals and symbols of letters. Its trades carry the
//!    simulated time, and no quotes: bid and ask are 0. Such issues have a tick of 0.01 and no
//!    band, and market orders trade at the last price.
//! 2. Trades settle at the next date, not after two days; D+1 shows the deposit of today.
//! 3. Depth is unlimited but for `fills`. A limit order that waits has no place in a queue.
//! 4. Not simulated: order books, NXT, midpoint and stop orders, volatility interruptions,
//!    market-wide halts, auction prices of their own (the auctions trade at the first and last
//!    price), a held session after an unclean end. The band of the after-market is that of the day,
//!    and an order at the close (06) trades at once.
//! 5. Past daily bars are invented, the same for the same settings. Fields of quotes that nothing
//!    here produces keep the constant of the samples.
//! 6. Texts in `msg1`, and the codes `APBK0344` (no such original) and `APBK9999` (a form that is
//!    wrong or not simulated), are invented where no source states them.
//! 7. In Naver's shape `closePrice` goes on with the trades of the after-market, `tradeStopType` of
//!    a halted issue is invented, NXT is always null, and an issue that has not traded today shows
//!    the last trading day's 15:30 as its time.
//! 8. Tokens, approval keys and limits live in real time; tokens do not survive a restart.

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
mod naver;
mod path;
mod price;
mod rest;
mod shared;
mod simulator;
mod state_file;
mod symbol;
mod ws;

pub use config::{
    AccountConfig, ClockConfig, ClockMode, CompanyConfig, ConfigFault, ConfigFaults, Environment,
    FillConfig, GeneratorConfig, HoldingConfig, KeepAliveConfig, LimitsConfig, Market, PathConfig,
    ScriptPoint, SimConfig, StockConfig, TicksConfig,
};
pub use error::SimError;
pub use price::{Price, PriceError};
pub use simulator::{Simulator, stocks_of_ticks};
pub use symbol::{Symbol, SymbolError};
