//! Random decisions, answers, fills, losses and crashes; at the end the books agree.

use std::time::Duration;

use rstest::rstest;
use turnstile_dataflows::exit::ExitDecision;
use turnstile_dataflows::model::{ExitReason, Phase};

use super::broker::Script;
use super::decisions::{exit_in, item};
use super::rig::Rig;

const POSITIONS: usize = 6;
const STEPS: usize = 120;

/// A small generator (splitmix64): the seed tells the whole story.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(sides).unwrap()).unwrap()
    }
}

fn position(index: usize) -> String {
    format!("33333333-3333-4333-8333-{index:012}")
}

fn symbol(index: usize) -> String {
    format!("{:06}", 100_000 + index)
}

/// The engine's part: a stop for what is left, which cancels what was decided before it.
fn decide(index: usize, attempt: u32, dice: &mut Dice) -> ExitDecision {
    let is_full = dice.roll(3) == 0;
    let (reason, qty) = if is_full {
        (ExitReason::Sl2, 100)
    } else {
        (ExitReason::Sl1, 30)
    };
    let mut decision = exit_in(&position(index), reason, qty, Phase::Open, attempt);
    decision.symbol = symbol(index).parse().unwrap();
    if is_full {
        decision.cancels = (1..attempt)
            .map(|earlier| exit_in(&position(index), ExitReason::Sl1, 30, Phase::Open, earlier))
            .map(|earlier| earlier.action_key)
            .collect();
    }
    decision
}

fn answer(dice: &mut Dice) -> Script {
    match dice.roll(8) {
        0 => Script::LoseAnswer,
        1 => Script::LoseOrder,
        2 => Script::Throttle,
        3 => Script::FillBeforeAnswer(64_000),
        4 => Script::Reject("APBK0400", "more than can be sold"),
        _ => Script::Accept,
    }
}

/// Fills, cancels or rejects one of the broker's live orders, and tells it, twice, late or never.
async fn move_market(rig: &Rig, dice: &mut Dice) {
    let orders = rig.broker.orders();
    let live: Vec<usize> = (0..orders.len())
        .filter(|index| !orders[*index].remaining.is_zero())
        .collect();
    if live.is_empty() {
        return;
    }
    let index = live[dice.roll(live.len())];
    if dice.roll(6) == 0 {
        rig.broker
            .end(index, dice.roll(2) == 0, dice.roll(3) > 0)
            .await;
        return;
    }
    let left = usize::try_from(orders[index].remaining.shares()).unwrap();
    let qty = i64::try_from(1 + dice.roll(left)).unwrap();
    let notice = rig.broker.fill(index, qty, 64_000);
    for _ in 0..[0, 1, 1, 1, 2][dice.roll(5)] {
        rig.broker.tell(notice.clone()).await;
    }
}

async fn storm(rig: &mut Rig, dice: &mut Dice) {
    let mut attempts = [0u32; POSITIONS];
    for _ in 0..STEPS {
        tokio::time::sleep(Duration::from_millis(u64::try_from(dice.roll(40)).unwrap())).await;
        match dice.roll(20) {
            0..6 => {
                let index = dice.roll(POSITIONS);
                attempts[index] += 1;
                rig.broker.script([answer(dice)]);
                rig.send(item(&decide(index, attempts[index], dice))).await;
            }
            6..14 => move_market(rig, dice).await,
            14 => rig.open_session(dice.roll(3) > 0),
            15 => rig.broker.set_listing(dice.roll(3) > 0),
            16 => rig.broker.set_cancelling(dice.roll(3) > 0),
            17 => {
                rig.broker
                    .script([
                        [Script::HangBeforeReceipt, Script::HangAfterReceipt][dice.roll(2)].clone(),
                    ]);
            }
            18 => {
                rig.crash().await;
                rig.resume();
            }
            _ => tokio::time::sleep(Duration::from_millis(60)).await,
        }
    }
}

/// Lets everything come to rest: calls that hang end with a last crash, orders are filled whole.
async fn calm(rig: &mut Rig) {
    rig.crash().await;
    rig.broker.forget_script();
    rig.open_session(true);
    rig.broker.set_listing(true);
    rig.broker.set_cancelling(true);
    rig.resume();
    rig.until(Rig::is_ready, true).await;
    let unsent =
        "SELECT count(*) FROM trade.orders_now WHERE status IN ('NEW', 'SENDING', 'UNKNOWN')";
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        for (index, order) in rig.broker.orders().iter().enumerate() {
            if !order.remaining.is_zero() {
                rig.broker
                    .fill_and_tell(index, order.remaining.shares(), 64_000)
                    .await;
            }
        }
        if rig.value(unsent).await == "0" {
            break;
        }
    }
    let open = "SELECT count(*) FROM trade.orders_now WHERE status NOT IN
        ('FILLED', 'REJECTED', 'CANCELLED', 'CANCELLED_PARTIAL')";
    rig.expect(open, "0").await;
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(3)]
#[case(4)]
#[tokio::test]
async fn the_books_agree_after_a_storm(#[case] seed: u64) {
    let mut rig = Rig::at_rest().await;
    for index in 0..POSITIONS {
        rig.add_position(&position(index), &symbol(index)).await;
    }
    rig.resume();
    let mut dice = Dice(seed);
    storm(&mut rig, &mut dice).await;
    calm(&mut rig).await;
    for index in 0..POSITIONS {
        let ours = rig
            .broker
            .orders()
            .into_iter()
            .filter(|line| *line.symbol.text() == symbol(index));
        let sold: i64 = ours.map(|line| line.filled.shares()).sum();
        assert!(sold <= 100, "seed {seed}: {sold} of 100 shares sold");
        let id = position(index);
        let stored = format!(
            "SELECT coalesce(sum(x.qty), 0) FROM trade.executions x JOIN trade.orders o USING (order_id)
             WHERE o.position_id = '{id}'"
        );
        rig.expect(&stored, &sold.to_string()).await;
        let status = if sold == 100 { "CLOSED" } else { "OPEN" };
        let held = format!("SELECT qty || status FROM trade.positions WHERE position_id = '{id}'");
        rig.expect(&held, &format!("{}{status}", 100 - sold)).await;
        let exits = format!("SELECT count(*) FROM trade.exit_events WHERE position_id = '{id}'");
        rig.expect(&exits, if sold == 100 { "1" } else { "0" })
            .await;
    }
    assert!(
        rig.broker.orders().len() > POSITIONS,
        "seed {seed}: too calm to prove anything"
    );
    let numbers = "SELECT count(DISTINCT broker_order_no) FROM trade.orders_now";
    rig.expect(numbers, &rig.broker.orders().len().to_string())
        .await;
    let twice = "SELECT count(*) FROM (SELECT order_id FROM trade.order_events
        WHERE broker_order_no IS NOT NULL GROUP BY order_id
        HAVING count(DISTINCT broker_order_no) > 1) AS twice";
    rig.expect(twice, "0").await;
    let alarms = "SELECT count(*) FROM system.logs
        WHERE event IN ('SOLD_MORE_THAN_HELD', 'ORDER_NEWS_REFUSED', 'ORDER_STORE_REFUSED')";
    rig.expect(alarms, "0").await;
}
