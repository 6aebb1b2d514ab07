//! The session of the exchange simulator.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::{Date, Time};
use serde::Deserialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use turnstile_dataflows::price::Session;

use super::{Market, NowUs, SessionSource, SharedCalendar};
use crate::seoul::seoul;

/// How often the simulator is asked, and how long its answer counts.
const ASK_EVERY: Duration = Duration::from_millis(300);
const ANSWER_COUNTS: Duration = Duration::from_secs(1);

/// Answer of the simulator's control port to `GET /session`. Other fields are left alone.
#[derive(Clone, Debug, Deserialize)]
struct SessionAnswer {
    /// Name of the session; orders at market trade in the regular one and its closing auction.
    session: String,
    date: Date,
    time: Time,
}

impl SessionAnswer {
    fn takes_orders(&self) -> bool {
        matches!(self.session.as_str(), "regular" | "closing_auction")
    }
}

/// The exchange simulator, asked by its control port. An answer counts for one second.
#[derive(Clone, Debug)]
pub struct SimulatorSession {
    http: reqwest::Client,
    url: String,
    latest: Arc<Mutex<Option<(Instant, SessionAnswer)>>>,
    calendar: Option<SharedCalendar>,
    now_us: NowUs,
}

impl SimulatorSession {
    /// Returns the session of the simulator at `control_url`. It is closed until [`Self::run`]
    /// has an answer.
    pub fn new(control_url: &str, now_us: NowUs) -> Self {
        crate::tls::install_provider();
        Self {
            http: reqwest::Client::new(),
            url: format!("{}/session", control_url.trim_end_matches('/')),
            latest: Arc::default(),
            calendar: None,
            now_us,
        }
    }

    /// Closes the session also on days that `calendar` was told to be closed. Its list does not
    /// count: the simulator may trade on any day.
    pub fn with_calendar(self, calendar: SharedCalendar) -> Self {
        Self {
            calendar: Some(calendar),
            ..self
        }
    }

    /// Keeps the answer fresh until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut is_answering = true;
        while !stop.is_cancelled() {
            match self.ask().await {
                Ok(answer) => {
                    if !std::mem::replace(&mut is_answering, true) {
                        info!("the simulator answers again");
                    }
                    let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
                    *latest = Some((Instant::now(), answer));
                }
                Err(error) if is_answering => {
                    is_answering = false;
                    warn!(%error, "the simulator does not say its session, orders are held");
                }
                Err(_) => {}
            }
            stop.run_until_cancelled(tokio::time::sleep(ASK_EVERY))
                .await;
        }
    }

    async fn ask(&self) -> Result<SessionAnswer, reqwest::Error> {
        let request = self.http.get(&self.url).timeout(ANSWER_COUNTS);
        request.send().await?.error_for_status()?.json().await
    }
}

impl SessionSource for SimulatorSession {
    fn market(&self) -> Market {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some((asked, answer)) => Market {
                date: answer.date,
                time: answer.time,
                closed: if asked.elapsed() > ANSWER_COUNTS {
                    Some("the simulator does not answer".to_owned())
                } else if !self.trades_on(answer.date) {
                    Some(format!("{} is no trading day", answer.date))
                } else {
                    (!answer.takes_orders())
                        .then(|| format!("the simulator's session is {}", answer.session))
                },
            },
            None => {
                let (date, time) = seoul((self.now_us)());
                let closed = Some("the simulator has not answered yet".to_owned());
                Market { date, time, closed }
            }
        }
    }

    /// An answer may be old, as after a stop of the process: its clock has gone on since.
    fn time(&self) -> Time {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some((asked, answer)) => answer.time.wrapping_add(asked.elapsed()),
            None => seoul((self.now_us)()).1,
        }
    }

    fn trades_on(&self, day: Date) -> bool {
        let is_told_closed = |calendar: &SharedCalendar| calendar.now().is_told_closed(day);
        !self.calendar.as_ref().is_some_and(is_told_closed)
    }

    fn is_clock_known(&self) -> bool {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.is_some()
    }

    fn of_prices(&self) -> Session {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some((_, answer)) if matches!(answer.session.as_str(), "closed" | "after_market") => {
                Session::Off
            }
            _ => Session::Regular,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::super::wall_clock_us;
    use super::*;

    /// Answers every request with the session's name, as the simulator's control port does.
    async fn control_port(sessions: Vec<&'static str>) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(crate::task::spawn("control port", async move {
            for session in sessions {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = [0; 1_024];
                let read = stream.read(&mut request).await.unwrap();
                assert!(request[..read].starts_with(b"GET /session "));
                let body = format!(
                    r#"{{"is_open": true, "session": "{session}", "date": "2026-11-24",
                        "time": "10:00:00.000000", "now": "2026-11-24T10:00:00.000000+09:00"}}"#
                );
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
                let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }));
        url
    }

    async fn closed(session: &SimulatorSession, expected: Option<&str>) {
        for _ in 0..200 {
            let market = session.market();
            if market.closed.as_deref() == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("expected {expected:?}, was {:?}", session.market());
    }

    #[tokio::test]
    async fn the_simulator_opens_and_closes_the_session_and_its_silence_closes_it() {
        let url = control_port(vec!["regular", "after_market"]).await;
        let session = SimulatorSession::new(&url, wall_clock_us);
        assert!(!session.market().is_open());
        let stop = CancellationToken::new();
        let task = crate::task::spawn("session", session.clone().run(stop.clone()));
        closed(&session, None).await;
        assert_eq!(session.market().date, date(2026, 11, 24));
        closed(&session, Some("the simulator's session is after_market")).await;
        closed(&session, Some("the simulator does not answer")).await;
        stop.cancel();
        task.await.unwrap();
    }
}
