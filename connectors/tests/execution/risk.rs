//! The risk gate between what is decided and its orders.

use turnstile_connectors::execution::RiskGate;
use turnstile_dataflows::reentry::Verdict;
use turnstile_dataflows::risk::{ExposureRow, Intent, Issue, Name, ViewChange};

use super::account::{account, stop};
use super::decisions::{shares, submit, verdict, won};
use super::entries::{CANDIDATE, HISTORY, left};
use super::rig::Rig;

const BUYS: &str = "SELECT count(*) FROM trade.orders WHERE side = 'BUY'";
const VIOLATIONS: &str =
    "SELECT string_agg(concat_ws(' ', v.check_type, v.message, v.current_value,
            jsonb_array_length(c.results)), '; ' ORDER BY v.id)
    FROM system.risk_violations v JOIN system.risk_checks c ON c.id = v.check_id";

async fn ask(rig: &Rig, request: &str, qty: i64, limit: i64) {
    let rows = format!(
        "INSERT INTO trade.manual_entries (request_id, symbol, qty, limit_price, asked_by)
         VALUES ('{request}', '005930', {qty}, {limit}, 'kim')"
    );
    let client = rig.postgres.client().await.unwrap();
    client.batch_execute(&rows).await.unwrap();
}

#[tokio::test]
async fn a_reentry_that_is_refused_watches_on_and_the_same_entry_may_come_again() {
    let rig = Rig::start().await;
    let event = left(&rig).await;
    let watch = Verdict::Watch {
        until: super::decisions::DECIDED,
    };
    rig.send(verdict(&event, 0, watch)).await;
    rig.expect(CANDIDATE, "WATCH").await;
    rig.gate().update(vec![ViewChange::Stop(Some(stop(true)))]);
    rig.send(verdict(&event, 1, submit(&event, 60))).await;
    rig.expect(
        CANDIDATE,
        "WATCH CONTROL EMERGENCY_STOP: emergency stop by kim: news",
    )
    .await;
    let refused = "SELECT count(*) FROM trade.reentry_candidates c JOIN trade.reentry_history h
        USING (candidate_id) WHERE h.status = 'BLOCKED' AND h.decided_us = c.refused_us";
    assert_eq!(rig.value(refused).await, "1");
    assert_eq!(rig.value(BUYS).await, "0");
    let violation = "EMERGENCY_STOP emergency stop by kim: news 1";
    assert_eq!(rig.value(VIOLATIONS).await, violation);

    rig.gate().update(vec![ViewChange::Stop(Some(stop(false)))]);
    rig.send(verdict(&event, 2, submit(&event, 60))).await;
    rig.expect(CANDIDATE, "READY").await;
    rig.expect(BUYS, "1").await;
    let history = rig.value(HISTORY).await;
    assert!(history.ends_with("SUBMITTED/REENTRY_REBOUND"), "{history}");
    let approved =
        "SELECT concat_ws(' ', count(*), max(jsonb_array_length(results)), max(limits_id),
            max(intent_type))
        FROM system.risk_checks WHERE is_approved";
    assert_eq!(rig.value(approved).await, "1 8 1 ENTRY");
}

#[tokio::test]
async fn a_purchase_by_hand_passes_the_gate_or_is_refused_with_the_reason() {
    let rig = Rig::start().await;
    let single = |most| match account().swap_remove(0) {
        ViewChange::Limits(id, Some(limits)) => {
            let single_max = most;
            let limits = turnstile_dataflows::risk::RiskLimits {
                single_max,
                ..limits
            };
            ViewChange::Limits(id, Some(limits))
        }
        other => panic!("{other:?}"),
    };
    // One millionth of a trillion KRW is a million.
    rig.gate().update(vec![single(1)]);
    ask(&rig, "33333333-3333-4333-8333-333333333331", 1, 1_000_001).await;
    let state = |n: u32| {
        format!(
            "SELECT concat_ws(' ', state, message) FROM trade.manual_entries
             WHERE request_id = '33333333-3333-4333-8333-33333333333{n}'"
        )
    };
    let why = "the name comes to 1000001 KRW, at most 1000000";
    let refused = format!("REFUSED refused by the risk gate: SINGLE_WEIGHT: {why}");
    rig.expect(&state(1), &refused).await;
    let violation = format!("SINGLE_WEIGHT {why} 1000001 4");
    assert_eq!(rig.value(VIOLATIONS).await, violation);
    ask(&rig, "33333333-3333-4333-8333-333333333332", 1, 1_000_000).await;
    rig.expect(&state(2), "ORDERED").await;
    assert_eq!(rig.value(BUYS).await, "1");
    let alarm = "SELECT level FROM system.logs WHERE event = 'risk_rejected'";
    rig.expect(alarm, "WARNING").await;
}

fn intent(won_each: i64) -> Intent {
    Intent {
        symbol: "005930".parse().unwrap(),
        qty: shares(1),
        price: won(won_each),
    }
}

fn is_approved(gate: &RiskGate, key: &str, amount: i64) -> bool {
    gate.judge(&intent(amount), key).is_approved()
}

#[tokio::test]
async fn room_is_taken_from_the_ruling_on_until_the_view_has_the_order() {
    let rig = Rig::start().await;
    let gate = rig.gate();
    let most = 1_000_000_000_000; // All that the account is worth.
    assert!(is_approved(gate, "a", most - 1));
    assert!(!is_approved(gate, "b", 2), "the room is taken");
    assert!(is_approved(gate, "b", 1));
    assert!(is_approved(gate, "a", most - 1), "not in its own way");
    gate.release("a");
    assert!(is_approved(gate, "c", most - 1), "given back");

    // The view has the order: it counts once.
    let symbol = "005930".parse().unwrap();
    let name = Name {
        shares: 0,
        held: Some(0),
        unrealised: 0,
        pending: i128::from(most - 1) * 10_000,
        issue: Issue::UNKNOWN,
    };
    gate.update(vec![
        ViewChange::Ordered("c".into()),
        ViewChange::Exposure(ExposureRow::Name(symbol, name.clone()), 1),
    ]);
    assert!(!is_approved(gate, "d", 1), "b is still reserved");
    gate.release("b");
    assert!(is_approved(gate, "d", 1));
    gate.update(vec![ViewChange::Exposure(
        ExposureRow::Name(symbol, name),
        -1,
    )]);
    assert!(is_approved(gate, "e", most - 1));
}

#[tokio::test]
async fn nothing_is_approved_by_a_gate_that_knows_nothing_or_has_lost_its_desk() {
    let rig = Rig::start().await;
    let gate = rig.gate();
    assert!(is_approved(gate, "a", 1));
    gate.lose();
    let ruling = gate.judge(&intent(1), "b");
    let why = "LIMITS: the risk desk has fallen behind";
    assert_eq!(ruling.refusal().as_deref(), Some(why));
}
