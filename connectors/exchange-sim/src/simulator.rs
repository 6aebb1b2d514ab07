//! Start and stop of a simulator.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{Router, serve::ListenerExt};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::{
    clock::SimClock,
    config::{CompanyConfig, Market, PathConfig, SimConfig, StockConfig},
    control,
    driver::drive,
    error::SimError,
    exchange::Exchange,
    issue::Issue,
    path::{FileSummary, Generator, Path, TickPlayer, read_summary},
    rest,
    shared::Shared,
    state_file, ws,
};

/// Longest time that connections have to end at a stop.
const STOP_MAX: Duration = Duration::from_secs(2);

/// A running simulator. It ends with [`Simulator::stop`]; a dropped one stops in the background.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    tasks: TaskTracker,
    rest: SocketAddr,
    ws: SocketAddr,
    control: SocketAddr,
}

impl Simulator {
    /// Starts a simulator and returns once its three ports take connections.
    ///
    /// # Errors
    /// Settings, a tick file or a state file that cannot be used, or an address that is taken.
    pub async fn start(config: SimConfig) -> Result<Self, SimError> {
        config.validate()?;
        let summary = match &config.path {
            PathConfig::Generator(_) => FileSummary::default(),
            PathConfig::Ticks(ticks) => {
                let file = ticks.file.clone();
                let read = tokio::task::spawn_blocking(move || read_summary(&file)).await;
                read.map_err(SimError::Task)??
            }
        };
        let listeners = [
            listen(config.listen).await?,
            listen(config.ws_listen).await?,
            listen(config.control_listen).await?,
        ];
        let clock = SimClock::new(&config.clock);
        let mut exchange = Exchange::new(&config, issues(&config, &summary), clock.now());
        if let Some(file) = &config.state_file
            && let Some(state) = state_file::read(file)?
        {
            exchange.load(state, tokio::time::Instant::now());
        }
        let path = match &config.path {
            PathConfig::Generator(generator) => {
                Path::Generator(Box::new(Generator::new(generator)))
            }
            PathConfig::Ticks(ticks) => Path::Ticks(TickPlayer::new(ticks, summary.ticks)),
        };
        let shared = Arc::new(Shared::new(config, clock, exchange));
        shared
            .progress
            .ticks_total
            .store(summary.ticks, Ordering::Release);
        let tasks = TaskTracker::new();
        if let Some(file) = shared.config.state_file.clone() {
            tasks.spawn(state_file::keep(Arc::clone(&shared), file));
        }
        tasks.spawn(drive(Arc::clone(&shared), path));
        let routers = [
            rest::router(Arc::clone(&shared)),
            ws::router(Arc::clone(&shared)),
            control::router(Arc::clone(&shared)),
        ];
        let [rest, ws, control] = [listeners[0].1, listeners[1].1, listeners[2].1];
        for ((listener, _), router) in listeners.into_iter().zip(routers) {
            tasks.spawn(serve(listener, router, Arc::clone(&shared)));
        }
        tasks.close();
        tracing::info!(%rest, %ws, %control, "exchange simulator started");
        Ok(Self {
            shared,
            tasks,
            rest,
            ws,
            control,
        })
    }

    /// Returns the address of the REST service, without a slash at the end.
    #[must_use]
    pub fn rest_url(&self) -> String {
        format!("http://{}", self.rest)
    }

    /// Returns the address of the WebSocket service, without a slash at the end.
    #[must_use]
    pub fn ws_url(&self) -> String {
        format!("ws://{}", self.ws)
    }

    /// Returns the address of the control port, without a slash at the end.
    #[must_use]
    pub fn control_url(&self) -> String {
        format!("http://{}", self.control)
    }

    /// Lets the price path go on, as `POST /resume` on the control port does.
    pub fn resume(&self) {
        self.shared.exchange().is_paused = false;
        self.shared.wake.notify_one();
    }

    /// Stops: cuts every connection, writes the state and returns when all tasks have ended.
    pub async fn stop(self) {
        self.shared.stop.cancel();
        self.tasks.wait().await;
        tracing::info!("exchange simulator stopped");
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), SimError> {
    let refuse = |source| SimError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(refuse)?;
    let bound = listener.local_addr().map_err(refuse)?;
    Ok((listener, bound))
}

async fn serve(listener: TcpListener, router: Router, shared: Arc<Shared>) {
    let listener = listener.tap_io(|stream| {
        // Ticks and answers are small: waiting to fill a packet would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "connection keeps its delay");
        }
    });
    let stop = shared.stop.clone();
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(STOP_MAX).await;
    };
    tokio::select! {
        served = served => if let Err(error) = served {
            tracing::error!(%error, "service ended");
        },
        () = overdue => tracing::debug!("connections outlived the stop, cut"),
    }
}

/// Returns the issues that a tick file names, each with its first price as previous close.
///
/// # Errors
/// A file that cannot be read, or the first row that cannot be used.
pub fn stocks_of_ticks(file: &std::path::Path) -> Result<Vec<StockConfig>, SimError> {
    Ok(stocks_of(&read_summary(file)?).collect())
}

/// Returns the configured issues, and those that only the tick file names.
fn issues(config: &SimConfig, summary: &FileSummary) -> Vec<Issue> {
    let is_new = |named: &StockConfig| {
        let mut listed = config.stocks.iter();
        listed.all(|stock| stock.symbol != named.symbol)
    };
    let named: Vec<_> = stocks_of(summary).filter(is_new).collect();
    config.stocks.iter().chain(&named).map(Issue::new).collect()
}

fn stocks_of(summary: &FileSummary) -> impl Iterator<Item = StockConfig> {
    summary.first.iter().map(|(symbol, price)| {
        let is_korean = symbol
            .as_str()
            .starts_with(|first: char| first.is_ascii_digit());
        StockConfig {
            symbol: symbol.clone(),
            name: symbol.to_string(),
            market: if is_korean {
                Market::Kospi
            } else {
                Market::Foreign
            },
            prev_close: *price,
            prev_volume: 1_000_000,
            listed_shares: 100_000_000,
            company: CompanyConfig::default(),
            script: Vec::new(),
        }
    })
}
