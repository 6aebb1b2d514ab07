//! The calendar: stored, altered, in conflict, and in force.

use std::sync::Arc;
use std::time::Duration;

use jiff::Span;
use jiff::civil::{Date, Weekday, date, time};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::jobs::Job;
use turnstile_connectors::kis::KisClient;
use turnstile_connectors::masters::{BrokerDays, CalendarKeeper, ConfiguredDays};
use turnstile_connectors::task;

use crate::broker::Broker;
use crate::rig::Rig;

const FIRST: Date = date(2026, 12, 1);
/// A Monday.
const SHORT_NOTICE: Date = date(2026, 12, 7);
const CHRISTMAS: Date = date(2026, 12, 25);

/// Sixty days as the broker says them, closed on weekends and on these.
fn days(closed: &[Date]) -> Vec<(String, bool)> {
    let is_open = |day: &Date| {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !closed.contains(day)
    };
    let all = FIRST.series(Span::new().days(1)).take(60);
    all.map(|day| (day.to_string(), is_open(&day))).collect()
}

/// What the configuration says of these sixty days.
const CONFIGURED: [Date; 3] = [CHRISTMAS, date(2026, 12, 31), date(2027, 1, 1)];

fn jobs(rig: &Rig, client: &KisClient, stored: &Arc<Notify>) -> Vec<Arc<dyn Job>> {
    vec![
        Arc::new(ConfiguredDays {
            postgres: rig.postgres.clone(),
            calendar: rig.calendar.clone(),
        }),
        Arc::new(BrokerDays {
            postgres: rig.postgres.clone(),
            client: client.clone(),
            at: time(7, 30, 0, 0),
            days: 60,
            stored: stored.clone(),
        }),
    ]
}

const TOLD: &str = "SELECT string_agg(event || ' ' || (context->>'day'), ', ' ORDER BY id)
    FROM system.logs";
const BROKER_DAYS: &str = "SELECT count(*)::text FROM market.calendar WHERE source = 'KIS'";

#[tokio::test(flavor = "multi_thread")]
async fn days_are_stored_told_once_and_in_force_at_once() {
    let mut rig = Rig::start(FIRST.at(8, 0, 0, 0)).await;
    let broker = Broker::default();
    let (client, _folder) = broker.start().await;
    broker.days(days(&CONFIGURED));
    let stored = Arc::new(Notify::new());
    let stop = CancellationToken::new();
    let keeper = CalendarKeeper {
        postgres: rig.postgres.clone(),
        calendar: rig.calendar.clone(),
        stored: stored.clone(),
    };
    let keeper = task::spawn("calendar", keeper.run(stop.clone()));
    rig.run(jobs(&rig, &client, &stored)).await;
    rig.until_runs("configured days", "start 2026-12-01T08:00:00 DONE")
        .await;
    rig.until_runs("calendar", "2026-12-01 DONE").await;
    assert_eq!(rig.text(BROKER_DAYS).await, "60");
    assert_eq!(rig.text(TOLD).await, "", "nothing is new");

    // The next day the broker says that a Monday is closed, and that Christmas is not.
    let closed = [SHORT_NOTICE, CONFIGURED[1], CONFIGURED[2]];
    broker.days(days(&closed));
    rig.at(FIRST.tomorrow().unwrap().at(7, 30, 0, 0));
    rig.until_runs("calendar", "2026-12-01 DONE, 2026-12-02 DONE")
        .await;
    let told = "CALENDAR_DAY_CHANGED 2026-12-07, CALENDAR_DAY_CHANGED 2026-12-25";
    let found = rig.text(TOLD).await;
    let (changed, conflicts) = found.split_at(told.len());
    assert_eq!(changed, told);
    let mut conflicts: Vec<&str> = conflicts.split(", ").collect();
    conflicts.sort_unstable();
    let expected = [
        "",
        "CALENDAR_CONFLICT 2026-12-07",
        "CALENDAR_CONFLICT 2026-12-25",
    ];
    assert_eq!(conflicts, expected);
    let is_in_force = || {
        let calendar = rig.calendar.now();
        !calendar.is_trading_day(SHORT_NOTICE) && calendar.is_trading_day(CHRISTMAS)
    };
    for _ in 0..500 {
        if is_in_force() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(is_in_force());
    let history = "SELECT string_agg(day || ' ' || was_open || ' ' || is_open, ', ' ORDER BY day)
        FROM market.calendar_history";
    let expected = "2026-12-07 true false, 2026-12-25 false true";
    assert_eq!(rig.text(history).await, expected);

    // The same again, and after a restart: nothing is told twice. The broker was asked once a day.
    rig.at(date(2026, 12, 3).at(7, 30, 0, 0));
    rig.run(jobs(&rig, &client, &stored)).await;
    rig.until_runs(
        "calendar",
        "2026-12-01 DONE, 2026-12-02 DONE, 2026-12-03 DONE",
    )
    .await;
    assert_eq!(rig.text(TOLD).await, found);
    assert_eq!(broker.asked(), ["calendar"; 3]);
    rig.stop().await;
    stop.cancel();
    keeper.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_true_changes_nothing() {
    let mut rig = Rig::start(FIRST.at(8, 0, 0, 0)).await;
    let broker = Broker::default();
    let (client, _folder) = broker.start().await;
    broker.days(days(&CONFIGURED));
    let stored = Arc::new(Notify::new());
    rig.run(jobs(&rig, &client, &stored)).await;
    rig.until_runs("configured days", "start 2026-12-01T08:00:00 DONE")
        .await;
    rig.until_runs("calendar", "2026-12-01 DONE").await;
    let content = "SELECT md5(string_agg(day || source || is_open, '' ORDER BY day, source))
        FROM market.calendar";
    let before = rig.text(content).await;

    let closed = days(&[]).into_iter().map(|(day, _)| (day, false));
    broker.days(closed);
    rig.at(date(2026, 12, 2).at(8, 0, 0, 0));
    let failed = "2026-12-01 DONE, 2026-12-02 FAILED";
    rig.until_runs("calendar", failed).await;
    broker.days(days(&CONFIGURED).into_iter().take(5));
    rig.until_runs("calendar", &format!("{failed}, 2026-12-02 FAILED"))
        .await;
    assert_eq!(rig.text(content).await, before);
    broker.days(days(&CONFIGURED));
    let done = async || rig.runs("calendar").await.ends_with("2026-12-02 DONE");
    for _ in 0..500 {
        if done().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(done().await, "{}", rig.runs("calendar").await);
    assert_eq!(rig.text(content).await, before);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paper_has_no_calendar_and_says_so_once_a_day() {
    let mut rig = Rig::start(FIRST.at(8, 0, 0, 0)).await;
    let broker = Broker::default();
    let (client, _folder) = broker.start().await;
    broker.refuse(Some("EGW00213"));
    let stored = Arc::new(Notify::new());
    rig.run(jobs(&rig, &client, &stored)).await;
    rig.until_runs("calendar", "2026-12-01 SKIPPED").await;
    rig.run(jobs(&rig, &client, &stored)).await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(rig.runs("calendar").await, "2026-12-01 SKIPPED");
    assert_eq!(broker.asked(), ["calendar"]);
    assert_eq!(rig.text(BROKER_DAYS).await, "0");
    rig.stop().await;
}
