//! Whether the exchange takes orders now, and what its clock says.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, Time, time};
use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use turnstile_dataflows::price::Session;

use super::calendar::SharedCalendar;

/// First and last moment at which the exchange takes orders of this system: the regular session
/// with its closing auction (KRX market rules, section 1.1). The end is exclusive.
const OPENS: Time = time(9, 0, 0, 0);
const CLOSES: Time = time(15, 30, 0, 0);
/// When prices grow old by the limits of the session: from the opening auction to the single-price
/// trading after hours (domain 2.1). The end is exclusive.
const PRICES_FROM: Time = time(8, 30, 0, 0);
const PRICES_UNTIL: Time = time(16, 0, 0, 0);
/// Seoul has had no daylight saving time since 1988.
const SEOUL: Offset = jiff::tz::offset(9);

/// What the exchange's clock says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// Date at the exchange.
    pub date: Date,
    /// Time at the exchange.
    pub time: Time,
    /// Why no orders are taken; none while they are.
    pub closed: Option<String>,
}

impl Market {
    /// Returns whether orders are taken.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }
}

/// Says whether the exchange takes orders. What cannot be known is closed.
pub trait SessionSource: Send + Sync {
    /// Returns what the exchange's clock says now.
    fn market(&self) -> Market;

    /// Returns the exchange's time of day, as close as it is known.
    fn time(&self) -> Time {
        self.market().time
    }

    /// Returns whether the exchange trades on `day`.
    fn trades_on(&self, day: Date) -> bool;

    /// Returns whether [`Self::market`] tells the exchange's own clock.
    fn is_clock_known(&self) -> bool {
        true
    }

    /// Returns by which limits prices that are received now grow old. Where that cannot be known, the
    /// shorter ones count.
    fn of_prices(&self) -> Session {
        Session::Regular
    }
}

/// Wall clock, microseconds since the Unix epoch. A parameter, so that a test can set it.
pub type NowUs = fn() -> u64;

/// Returns the wall clock.
pub fn wall_clock_us() -> u64 {
    u64::try_from(Timestamp::now().as_microsecond()).unwrap_or_default()
}

/// Returns date and time in Seoul.
pub(super) fn seoul(now_us: u64) -> (Date, Time) {
    let micros = i64::try_from(now_us).unwrap_or(i64::MAX);
    let instant = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX);
    let there = instant.to_zoned(TimeZone::fixed(SEOUL));
    (there.date(), there.time())
}

/// The real exchange, by the clock of Seoul and a calendar.
#[derive(Clone, Debug)]
pub struct KrxSession {
    calendar: SharedCalendar,
    now_us: NowUs,
}

impl KrxSession {
    /// Returns the session of this calendar and clock.
    pub fn new(calendar: impl Into<SharedCalendar>, now_us: NowUs) -> Self {
        Self {
            calendar: calendar.into(),
            now_us,
        }
    }

    fn why_closed(&self, date: Date, time: Time) -> Option<String> {
        let calendar = self.calendar.now();
        if !calendar.is_known(date) {
            return Some(match calendar.first_listed() {
                Some(_) => {
                    let until = calendar.valid_until();
                    format!("the calendar ends on {until}, {date} counts as closed")
                }
                None => format!("there is no calendar, {date} counts as closed"),
            });
        }
        if !calendar.is_trading_day(date) {
            return Some(format!("{date} is no trading day"));
        }
        let in_session = (OPENS..CLOSES).contains(&time);
        (!in_session).then(|| format!("orders are taken from {OPENS} to {CLOSES} in Seoul"))
    }

    fn prices_at(&self, date: Date, time: Time) -> Session {
        let calendar = self.calendar.now();
        let in_session =
            calendar.is_trading_day(date) && (PRICES_FROM..PRICES_UNTIL).contains(&time);
        if calendar.is_known(date) && !in_session {
            Session::Off
        } else {
            Session::Regular
        }
    }
}

impl SessionSource for KrxSession {
    fn market(&self) -> Market {
        let (date, time) = seoul((self.now_us)());
        Market {
            date,
            time,
            closed: self.why_closed(date, time),
        }
    }

    fn trades_on(&self, day: Date) -> bool {
        self.calendar.now().is_trading_day(day)
    }

    fn of_prices(&self) -> Session {
        let (date, time) = seoul((self.now_us)());
        self.prices_at(date, time)
    }
}

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
    use jiff::civil::{DateTime, date, datetime};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::execution::calendar::{Calendar, ToldDay, default_holidays};

    fn is_open(at: DateTime) -> bool {
        let session = KrxSession::new(
            Calendar::new(default_holidays(), date(2027, 12, 31)),
            wall_clock_us,
        );
        session.why_closed(at.date(), at.time()).is_none()
    }

    #[test]
    fn orders_are_taken_from_nine_to_half_past_three_on_trading_days() {
        assert!(!is_open(datetime(2026, 11, 24, 8, 59, 59, 999_999_999)));
        assert!(is_open(datetime(2026, 11, 24, 9, 0, 0, 0)));
        assert!(is_open(datetime(2026, 11, 24, 15, 29, 59, 0)));
        assert!(!is_open(datetime(2026, 11, 24, 15, 30, 0, 0)));
        assert!(!is_open(datetime(2026, 11, 22, 10, 0, 0, 0)));
        assert!(!is_open(datetime(2026, 12, 25, 10, 0, 0, 0)));
    }

    #[test]
    fn prices_are_of_the_session_from_half_past_eight_to_four() {
        let session = KrxSession::new(
            Calendar::new(default_holidays(), date(2027, 12, 31)),
            wall_clock_us,
        );
        let at = |at: DateTime| session.prices_at(at.date(), at.time());
        assert_eq!(at(datetime(2026, 11, 24, 8, 29, 59, 0)), Session::Off);
        assert_eq!(at(datetime(2026, 11, 24, 8, 30, 0, 0)), Session::Regular);
        assert_eq!(at(datetime(2026, 11, 24, 15, 59, 59, 0)), Session::Regular);
        assert_eq!(at(datetime(2026, 11, 24, 16, 0, 0, 0)), Session::Off);
        assert_eq!(at(datetime(2026, 11, 22, 10, 0, 0, 0)), Session::Off);
        // What the calendar does not know: the shorter limits.
        assert_eq!(at(datetime(2028, 1, 3, 20, 0, 0, 0)), Session::Regular);
    }

    #[test]
    fn days_beyond_the_calendar_are_closed() {
        assert!(!is_open(datetime(2028, 1, 3, 10, 0, 0, 0)));
    }

    #[test]
    fn a_day_that_is_told_closed_closes_a_running_session() {
        let calendar = SharedCalendar::from(Calendar::new(default_holidays(), date(2027, 12, 31)));
        let session = KrxSession::new(calendar.clone(), wall_clock_us);
        let at = datetime(2026, 11, 24, 10, 0, 0, 0);
        assert_eq!(session.why_closed(at.date(), at.time()), None);
        let closed = ToldDay {
            is_open: false,
            is_settlement_day: None,
        };
        calendar.tell([(at.date(), closed)].into());
        assert!(!session.trades_on(at.date()));
        let why = session.why_closed(at.date(), at.time());
        assert_eq!(why.as_deref(), Some("2026-11-24 is no trading day"));
        assert_eq!(session.prices_at(at.date(), at.time()), Session::Off);
    }

    #[test]
    fn without_any_calendar_every_day_is_closed() {
        let session = KrxSession::new(Calendar::new([], date(2027, 12, 31)), wall_clock_us);
        let at = datetime(2026, 11, 24, 10, 0, 0, 0);
        let why = session.why_closed(at.date(), at.time());
        let expected = "there is no calendar, 2026-11-24 counts as closed";
        assert_eq!(why.as_deref(), Some(expected));
    }

    #[test]
    fn the_clock_is_read_in_seoul() {
        // 2026-11-23T15:00:00Z is 2026-11-24 00:00 in Seoul.
        let (day, time) = seoul(1_795_446_000_000_000);
        assert_eq!((day, time), (date(2026, 11, 24), Time::midnight()));
    }

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
