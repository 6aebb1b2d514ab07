//! What the tests of alarms have in common.

use std::time::Duration;

use tokio::time::Instant;
use turnstile_tests::{System, Webhook, eventually};

/// How long a condition is made: much longer than any alarm takes.
const WAIT_MAX: Duration = Duration::from_secs(40);

/// Returns sections `[monitoring]` with windows of three seconds. `limits` comes at the end.
pub(crate) fn monitoring(webhook: &Webhook, limits: &str) -> String {
    monitoring_over(webhook, "3s", limits)
}

/// Returns sections `[monitoring]` with windows of `window`. `limits` comes at the end.
pub(crate) fn monitoring_over(webhook: &Webhook, window: &str, limits: &str) -> String {
    format!(
        "[monitoring]\nlook_every = \"100ms\"\nclear_after = \"1s\"\nwindow_max = \"{window}\"\n\
         quiet = \"2m\"\nhistory_every = \"1s\"\n[monitoring.webhook]\nurl = \"{}\"\n{limits}",
        webhook.url
    )
}

/// Passes a little time.
pub(crate) async fn a_while() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Does `step` again and again until the course of an alarm is `course`.
pub(crate) async fn until(
    webhook: &Webhook,
    alarm: &str,
    course: &[&str],
    mut step: impl AsyncFnMut(),
) {
    let began = Instant::now();
    while webhook.course(alarm).len() < course.len() && began.elapsed() < WAIT_MAX {
        step().await;
    }
    webhook.wait(alarm, course).await;
}

/// Returns how many episodes of an alarm there were, and how many of them stand.
pub(crate) async fn episodes(system: &System, alarm: &str) -> (i64, i64) {
    let query = "SELECT count(*), count(*) FILTER (WHERE cleared_ts IS NULL) FROM system.alarms
        WHERE name = $1";
    let row = &system.query(query, &[&alarm]).await[0];
    (row.get(0), row.get(1))
}

/// Shows a limit with two levels: `mild` and `severe` make the condition, `well` ends it. Each is done
/// again and again.
pub(crate) async fn show(
    (system, webhook, alarm): (&System, &Webhook, &str),
    mild: impl AsyncFnMut(),
    mut severe: impl AsyncFnMut(),
    mut well: impl AsyncFnMut(),
) {
    let course = ["RAISED WARNING", "ESCALATED CRITICAL", "CLEARED CRITICAL"];
    until(webhook, alarm, &course[..1], mild).await;
    until(webhook, alarm, &course[..2], &mut severe).await;
    until(webhook, alarm, &course, &mut well).await;
    flap((system, webhook, alarm), &course, severe, well).await;
}

/// Shows a limit with one level, which is `level`.
pub(crate) async fn show_one(
    (system, webhook, alarm): (&System, &Webhook, &str),
    level: &str,
    mut bad: impl AsyncFnMut(),
    mut well: impl AsyncFnMut(),
) {
    let (raised, cleared) = (format!("RAISED {level}"), format!("CLEARED {level}"));
    let course = [raised.as_str(), cleared.as_str()];
    until(webhook, alarm, &course[..1], &mut bad).await;
    until(webhook, alarm, &course, &mut well).await;
    flap((system, webhook, alarm), &course, bad, well).await;
}

/// Makes the condition once more and ends it: the database has another episode, and nobody was told.
async fn flap(
    (system, webhook, alarm): (&System, &Webhook, &str),
    course: &[&str],
    mut bad: impl AsyncFnMut(),
    mut well: impl AsyncFnMut(),
) {
    eventually("the alarm is over", async || {
        episodes(system, alarm).await == (1, 0)
    })
    .await;
    eventually("it stands again", async || {
        bad().await;
        episodes(system, alarm).await == (2, 1)
    })
    .await;
    eventually("it is over again", async || {
        well().await;
        episodes(system, alarm).await == (2, 0)
    })
    .await;
    webhook.wait(alarm, course).await;
    let told =
        "SELECT count(*) FROM system.alarm_deliveries d JOIN system.alarms a ON a.id = d.alarm_id
        WHERE a.name = $1 AND d.channel = 'webhook' AND d.fault IS NULL";
    let told: i64 = system.one(told, &[&alarm]).await;
    assert_eq!(
        usize::try_from(told).unwrap(),
        course.len(),
        "{alarm}: kept as told"
    );
}
