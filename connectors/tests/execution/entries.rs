//! Re-entries: verdicts, the order that buys, the position it opens.

use std::num::NonZeroUsize;

use turnstile_connectors::execution::{ExecutionConfig, SinkItem};
use turnstile_dataflows::model::ExitReason;
use turnstile_dataflows::reentry::Verdict;

use super::broker::Script;
use super::decisions::{DECIDED, exit, item, submit, verdict};
use super::rig::{POSITION, Rig, config};

pub(crate) const CANDIDATE: &str = "SELECT concat_ws(' ', state, blocked_gate, blocked_reason)
    FROM trade.reentry_candidates";
pub(crate) const HISTORY: &str =
    "SELECT string_agg(concat_ws('/', status, gate, reason), ' ' ORDER BY id)
    FROM trade.reentry_history";

/// Sells the position whole and returns its exit event.
pub(crate) async fn left(rig: &Rig) -> String {
    let decision = exit(POSITION, ExitReason::Sl2, 100);
    rig.send(item(&decision)).await;
    rig.until(|rig| rig.broker.orders().len(), 1).await;
    rig.broker.fill_and_tell(0, 100, 70_000).await;
    rig.expect("SELECT count(*) FROM trade.exit_events", "1")
        .await;
    rig.value("SELECT exit_event_id FROM trade.exit_events")
        .await
}

async fn ready(rig: &Rig) -> SinkItem {
    let event = left(rig).await;
    verdict(&event, 0, submit(&event, 60))
}

#[tokio::test]
async fn verdicts_leave_a_candidate_and_a_history() {
    // One lane, so that what comes later is stored later.
    let rig = Rig::start_with(ExecutionConfig {
        sink_lanes: NonZeroUsize::MIN,
        ..config()
    })
    .await;
    let event = left(&rig).await;
    let until = DECIDED.plus_micros(60_000_000);
    rig.send(verdict(&event, 0, Verdict::Cooldown { until }))
        .await;
    let watch = Verdict::Watch { until };
    rig.send(verdict(&event, 1, watch.clone())).await;
    let passing = Verdict::Blocked {
        gate: "G5".into(),
        reason: "stale".into(),
        is_final: false,
    };
    rig.send(verdict(&event, 2, passing)).await;
    rig.expect(HISTORY, "COOLDOWN WATCH BLOCKED/G5/stale").await;
    rig.expect(CANDIDATE, "WATCH G5 stale").await;
    let last = Verdict::Blocked {
        gate: "G2".into(),
        reason: "limit".into(),
        is_final: true,
    };
    rig.send(verdict(&event, 3, last.clone())).await;
    rig.expect(CANDIDATE, "BLOCKED G2 limit").await;
    rig.send(verdict(&event, 3, last)).await;
    rig.send(verdict(&event, 1, watch)).await;
    let origin =
        "SELECT concat_ws(' ', origin_position_id, exit_reason_code, exit_price, prior_hwm,
        original_qty, cooldown_until = to_timestamp(1795480060)) FROM trade.reentry_candidates";
    rig.expect(
        origin,
        &format!("{POSITION} SL2 70000.0000 71000.0000 100 t"),
    )
    .await;
    // Nothing more is said of what is over, nor a second time that it begins.
    rig.send(verdict(&event, 4, Verdict::Expired { reason: None }))
        .await;
    rig.send(verdict(&event, 5, Verdict::Cooldown { until }))
        .await;
    let other = "22222222-2222-4222-8222-222222222222";
    rig.add_position(other, "000660").await;
    rig.broker.hold(&[("000660", 100, 65_000)]);
    let later = exit(other, ExitReason::Sl2, 100);
    rig.send(item(&later)).await;
    rig.expect_status(later.action_key.as_str(), "SUBMITTED")
        .await;
    let history = rig.value(HISTORY).await;
    assert_eq!(history, "COOLDOWN WATCH BLOCKED/G5/stale BLOCKED/G2/limit");
}

#[tokio::test]
async fn a_watch_that_ends_leaves_its_end() {
    let rig = Rig::start().await;
    let event = left(&rig).await;
    let until = DECIDED.plus_micros(60_000_000);
    for (after, verdict_of) in [
        (0, Verdict::Cooldown { until }),
        (1, Verdict::Watch { until }),
        (2, Verdict::Expired { reason: None }),
    ] {
        rig.send(verdict(&event, after, verdict_of)).await;
    }
    rig.expect(HISTORY, "COOLDOWN WATCH EXPIRED").await;
    rig.expect(CANDIDATE, "EXPIRED").await;
}

#[tokio::test]
async fn an_entry_opens_a_position_that_grows_with_its_fills() {
    let rig = Rig::start_without_poll().await;
    let submit = ready(&rig).await;
    rig.send(submit).await;
    rig.until(|rig| rig.broker.orders().len(), 2).await;
    rig.expect(CANDIDATE, "READY").await;
    rig.broker.fill_and_tell(1, 20, 71_000).await;
    let live = "SELECT concat_ws(' ', qty, original_qty, avg_price, strategy_id, account_id,
            candidate_id = (SELECT exit_event_id FROM trade.exit_events),
            entry_ts = (SELECT min(ts) FROM trade.executions x JOIN trade.orders o USING (order_id)
              WHERE o.side = 'BUY'))
        FROM trade.positions WHERE status = 'OPEN'";
    // 20 × 71,000 and 0.1 % of it.
    rig.expect(live, "20 20 71071.0000 momentum 50123456-01 t t")
        .await;
    rig.broker.fill_and_tell(1, 40, 71_500).await;
    // 4,280,000 + 4,280 over 60.
    rig.expect(live, "60 60 71404.6667 momentum 50123456-01 t t")
        .await;
    rig.expect(CANDIDATE, "ENTERED").await;
    rig.expect(HISTORY, "SUBMITTED/REENTRY_REBOUND ENTERED")
        .await;
    let tax = "SELECT sum(tax) FROM trade.executions x JOIN trade.orders o USING (order_id)
        WHERE o.side = 'BUY'";
    rig.expect(tax, "0.0000").await;
}

#[tokio::test]
async fn an_entry_that_fills_at_prices_far_apart_stays_in_one_cycle() {
    let rig = Rig::start_without_poll().await;
    let submit = ready(&rig).await;
    rig.send(submit).await;
    rig.until(|rig| rig.broker.orders().len(), 2).await;
    rig.broker.fill_and_tell(1, 20, 70_000).await;
    let live = "SELECT concat_ws(' ', qty, original_qty, avg_price, cycle, last_avg_price)
        FROM trade.positions JOIN trade.position_state USING (position_id) WHERE status = 'OPEN'";
    rig.expect(live, "20 20 70070.0000 1 70070.0000").await;
    rig.broker.fill_and_tell(1, 40, 77_000).await;
    // 4,480,000 + 4,480 over 60.
    rig.expect(live, "60 60 74741.3333 1 74741.3333").await;
}

#[tokio::test]
async fn an_entry_that_the_broker_refuses_blocks_the_candidate() {
    let rig = Rig::start().await;
    let submit = ready(&rig).await;
    rig.broker
        .script([Script::Reject("APBK0919", "not enough cash")]);
    rig.send(submit).await;
    rig.expect(CANDIDATE, "BLOCKED BROKER APBK0919: not enough cash")
        .await;
    rig.expect(
        HISTORY,
        "SUBMITTED/REENTRY_REBOUND BLOCKED/BROKER/APBK0919: not enough cash",
    )
    .await;
}

#[tokio::test]
async fn an_entry_cancelled_after_a_partial_fill_has_entered() {
    let rig = Rig::start_without_poll().await;
    let submit = ready(&rig).await;
    rig.send(submit).await;
    rig.until(|rig| rig.broker.orders().len(), 2).await;
    rig.broker.fill_and_tell(1, 20, 71_000).await;
    rig.broker.end(1, false, true).await;
    rig.expect(CANDIDATE, "ENTERED").await;
    rig.expect(
        "SELECT qty FROM trade.positions WHERE status = 'OPEN'",
        "20",
    )
    .await;
}

#[tokio::test]
async fn an_entry_into_a_position_held_already_begins_a_new_cycle() {
    let rig = Rig::start_without_poll().await;
    let submit = ready(&rig).await;
    let bought = "INSERT INTO trade.positions
            (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts, strategy_id)
        SELECT gen_random_uuid(), '50123456-01', '005930', 40, 50, 60000, now(), strategy_id
        FROM trade.positions LIMIT 1;
        UPDATE trade.position_state SET phase = 'TP1_DONE', stop_floor_price = 60360
        WHERE phase = 'OPEN'";
    rig.postgres
        .client()
        .await
        .unwrap()
        .batch_execute(bought)
        .await
        .unwrap();
    rig.send(submit).await;
    rig.until(|rig| rig.broker.orders().len(), 2).await;
    rig.broker.fill_and_tell(1, 60, 71_000).await;
    // 40 × 60,000 + 60 × 71,000 + 4,260 over 100.
    let live = "SELECT concat_ws(' ', qty, original_qty, avg_price, cycle, phase, stop_floor_price)
        FROM trade.positions JOIN trade.position_state USING (position_id) WHERE status = 'OPEN'";
    rig.expect(live, "100 100 66642.6000 2 OPEN").await;
    rig.expect(CANDIDATE, "ENTERED").await;
}
