//! The actions, how often each is drawn, and what it does.

use std::time::Duration;

use serde_json::{Value, json};

use crate::yard::{Held, Yard};
use turnstile_oracle::Dice;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A trade at a price near the entry.
    Tick,
    /// A trade below a stop.
    Fall,
    /// Other rules for every position.
    EditRules,
    /// Another control mode.
    SetMode,
    /// The operator sells by hand.
    SellByHand,
    /// The simulator does something wrong from now on, or some times.
    Fault,
    /// The simulator does everything right again.
    ClearFaults,
    /// The simulator is stopped and started again.
    RestartSimulator,
    /// Nobody can write to a table for a while.
    HoldTable,
    /// The engine loses its database sessions.
    CutSessions,
    /// PostgreSQL is stopped and started again.
    RestartPostgres,
    /// Redis is stopped and started again.
    RestartRedis,
    /// Redis takes no writes for a while.
    PauseRedis,
    /// The engine is killed and started again.
    Kill,
    /// Another terminal of the account trades.
    OtherTerminal,
    /// The broker changes a holding by itself.
    ChangeHolding,
}

/// What is drawn, with its weight.
const DRAWN: [(u64, Action); 16] = [
    (30, Action::Tick),
    (14, Action::Fall),
    (6, Action::EditRules),
    (5, Action::SetMode),
    (5, Action::SellByHand),
    (22, Action::Fault),
    (6, Action::ClearFaults),
    (1, Action::RestartSimulator),
    (4, Action::HoldTable),
    (1, Action::CutSessions),
    (1, Action::RestartPostgres),
    (1, Action::RestartRedis),
    (2, Action::PauseRedis),
    (4, Action::Kill),
    (3, Action::OtherTerminal),
    (1, Action::ChangeHolding),
];

const MODES: [(u64, &str); 4] = [
    (5, "RUNNING"),
    (2, "PAUSE_PROFIT"),
    (2, "PAUSE_ALL"),
    (1, "EMERGENCY_FLATTEN"),
];
const TABLES: [&str; 6] = [
    "trade.orders",
    "trade.order_events",
    "trade.executions",
    "trade.positions",
    "trade.exit_events",
    "market.prices",
];
/// Codes with which the broker refuses an order for good.
const REJECTS: [&str; 5] = ["APBK0918", "APBK0919", "APBK0400", "APBK1943", "APBK3013"];
const UNKNOWN_OUTCOMES: [&str; 4] = ["EGW00301", "EGW00302", "EGW00303", "EGW00304"];

impl Action {
    /// Draws one.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        dice.weighted(&DRAWN)
    }

    /// Does it, and returns what was done in words.
    pub(super) async fn run(self, yard: &mut Yard, dice: &mut Dice, held: &[Held]) -> String {
        let one = dice.pick(held);
        let what = match self {
            Self::Tick => {
                let won = 100 * dice.between(960, 1_060);
                yard.system.trade(&one.symbol, won).await;
                format!("{} {won}", one.symbol)
            }
            Self::Fall => {
                let won = 100 * dice.between(935, 970);
                yard.system.trade(&one.symbol, won).await;
                format!("{} {won}", one.symbol)
            }
            Self::EditRules => {
                let rules = rules(dice);
                yard.system.exit_rules(rules.clone()).await;
                rules.to_string()
            }
            Self::SetMode => {
                let mode = dice.weighted(&MODES);
                yard.set_mode(mode).await;
                mode.to_owned()
            }
            Self::SellByHand => sell_by_hand(yard, dice, &one).await,
            Self::Fault => {
                let fault = fault(dice);
                yard.system.post("/faults", fault.clone()).await;
                fault.to_string()
            }
            Self::ClearFaults => {
                yard.system.post("/faults", json!({"clear": true})).await;
                String::new()
            }
            Self::RestartSimulator => {
                yard.system.restart_simulator().await;
                String::new()
            }
            Self::HoldTable => hold_table(yard, dice).await,
            Self::CutSessions => {
                yard.cut_sessions().await;
                String::new()
            }
            Self::RestartPostgres => {
                let ms = dice.below(1_000);
                yard.restart_postgres(Duration::from_millis(ms)).await;
                format!("after {ms} ms")
            }
            Self::RestartRedis => {
                let ms = dice.below(1_000);
                yard.restart_redis(Duration::from_millis(ms)).await;
                format!("after {ms} ms")
            }
            Self::PauseRedis => {
                yard.pause_redis().await;
                String::new()
            }
            Self::Kill => kill(yard, dice).await,
            Self::OtherTerminal => {
                let side = dice.pick(&["sell", "buy"]);
                let order = json!({"symbol": one.symbol, "side": side, "qty": dice.between(1, 20)});
                // Refused where nothing is left to sell.
                drop(yard.system.try_post("/orders", &order).await);
                order.to_string()
            }
            Self::ChangeHolding => {
                let change = json!({"symbol": one.symbol, "qty": dice.between(0, one.qty)});
                // Refused where a sale is open.
                if yard.system.try_post("/holdings", &change).await.is_some() {
                    yard.by_hand.insert(one.symbol.clone());
                }
                change.to_string()
            }
        };
        format!("{self:?} {what}")
    }
}

async fn sell_by_hand(yard: &Yard, dice: &mut Dice, one: &Held) -> String {
    let shares = dice.between(1, one.qty);
    yard.system
        .execute(
            "INSERT INTO trade.manual_exits (request_id, position_id, symbol, qty, asked_by)
             SELECT gen_random_uuid(), position_id, symbol, least($2, qty), 'test'
             FROM trade.positions WHERE position_id = $1::text::uuid AND qty > 0",
            &[&one.id, &shares],
        )
        .await;
    format!("{shares} of {}", one.symbol)
}

async fn hold_table(yard: &Yard, dice: &mut Dice) -> String {
    let (table, ms) = (dice.pick(&TABLES), dice.below(800));
    yard.hold(table).await;
    tokio::time::sleep(Duration::from_millis(ms)).await;
    yard.release().await;
    format!("{table} {ms} ms")
}

/// Kills the engine, half the time while it cannot write to a table; what waits then ends with it
/// or goes on without it.
async fn kill(yard: &mut Yard, dice: &mut Dice) -> String {
    let mut what = String::new();
    if dice.percent(50) {
        let (table, ms) = (dice.pick(&TABLES), dice.below(400));
        yard.hold(table).await;
        tokio::time::sleep(Duration::from_millis(ms)).await;
        what = format!("with {table} held for {ms} ms");
    }
    yard.kill().await;
    if dice.percent(50) {
        yard.terminate_blocked().await;
        what.push_str(", waiting statements ended");
    }
    yard.release().await;
    yard.restart().await;
    what
}

fn rules(dice: &mut Dice) -> Value {
    let percent = |hundredths: i64| -> Value {
        serde_json::from_str(&format!("{:.4}", rust_decimal::Decimal::new(hundredths, 4)))
            .expect("a number")
    };
    let mut rules = json!({
        "sl1": {"pnl": percent(-dice.between(200, 400)), "qty": percent(100 * dice.between(20, 80))},
        "sl2": {"pnl": percent(-dice.between(450, 600))},
    });
    if dice.percent(50) {
        let (pnl, qty) = (dice.between(200, 500), 100 * dice.between(10, 60));
        rules["tp1"] = json!({"pnl": percent(pnl), "qty": percent(qty), "floor": percent(60)});
    }
    rules
}

fn fault(dice: &mut Dice) -> Value {
    let few = dice.between(1, 3);
    match dice.below(18) {
        0 => json!({"delay_ms": dice.between(10, 1_500)}),
        1 => json!({"next_n_http_5xx": few}),
        2 => json!({"rate_limit_next": dice.between(1, 10)}),
        3 => json!({"accept_then_silent": few}),
        4 => json!({"accept_then_5xx": {"count": few, "code": dice.pick(&UNKNOWN_OUTCOMES)}}),
        5 => json!({"accept_then_garbage": few}),
        6 => json!({"duplicate_notices": dice.percent(50)}),
        7 => json!({"reorder_notices": dice.percent(50)}),
        8 => json!({"suppress_notices": dice.percent(50)}),
        9 => json!({"lose_notices": few}),
        10 => json!({"delay_notices_ms": dice.between(10, 1_500)}),
        11 => {
            json!({"fill_in_pieces": {"shares": dice.between(1, 40), "every_ms": dice.between(1, 60)}})
        }
        12 => json!({"stop_quotes": dice.percent(50)}),
        13 => json!({"reject_next": {"code": dice.pick(&REJECTS), "by_notice": false}}),
        14 => json!({"reject_next": {"by_notice": true}}),
        15 => json!({"drop_connections": true}),
        16 => json!({"expire_tokens": true}),
        _ => {
            json!({"send_raw": dice.pick(&["0|H0STCNT0|001|broken", "{", "1|H0STCNI9|001|AAAA", ""])})
        }
    }
}
