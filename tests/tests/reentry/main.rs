//! Re-entries through the real processes, and the policy table that the database comes with.

mod flow;
mod operator;
mod policy;
mod ranking;
mod room;

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;
use turnstile_tests::{Api, Stock, System};

pub(crate) const SYMBOL: &str = "005930";

pub(crate) fn stock(symbol: &str, held: i64) -> Stock<'_> {
    Stock {
        symbol,
        close: 100_000,
        held,
    }
}

pub(crate) async fn regime(system: &System, regime: Option<&str>) {
    let set = "UPDATE market.regime_override SET regime = $1, updated_by = 'test'";
    system.execute(set, &[&regime]).await;
}

/// History as `STATUS/gate/regime`, in the order in which it was stored.
pub(crate) async fn history(system: &System) -> Vec<String> {
    let rows = system
        .query(
            "SELECT concat_ws('/', status, gate, regime) FROM trade.reentry_history ORDER BY id",
            &[],
        )
        .await;
    rows.iter().map(|row| row.get(0)).collect()
}

const WAIT_MAX: Duration = Duration::from_secs(60);

/// Waits for the history, and shows what it was and what came of orders where it did not come.
pub(crate) async fn has_history(system: &System, expected: &[&str]) {
    let came = async {
        while history(system).await.len() < expected.len() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let is_in_time = timeout(WAIT_MAX, came).await.is_ok();
    let was = history(system).await;
    if is_in_time {
        assert_eq!(was, expected);
        return;
    }
    let events = system
        .query(
            "SELECT concat_ws(' ', e.ts::time, o.action_key, e.status, e.filled_qty, e.code, e.message)
             FROM trade.order_events e JOIN trade.orders o USING (order_id) ORDER BY e.event_id",
            &[],
        )
        .await;
    let events: Vec<String> = events.iter().map(|row| row.get(0)).collect();
    panic!("{expected:?} expected, was {was:?} with {events:#?}");
}

/// A system with a stop at 5 % and a rebound of 1 % after it, under a regime.
pub(crate) async fn begin(
    stocks: &[Stock<'_>],
    cooldown_s: i32,
    per_day: i32,
    said: Option<&str>,
) -> System {
    let system = System::start(stocks, "").await;
    system.exit_rules(json!({"sl2": {"pnl": -0.05}})).await;
    system.reentry_rule("SL", cooldown_s, "0.01", per_day).await;
    if said.is_some() {
        regime(&system, said).await;
    }
    system
}

/// Stops the held stock out and waits until its candidate watches.
pub(crate) async fn stopped_out(system: &System, regime: &str) {
    system.trade(SYMBOL, 94_900).await;
    let [cooldown, watch] = ["COOLDOWN", "WATCH"].map(|status| format!("{status}/{regime}"));
    has_history(system, &[&cooldown, &watch]).await;
}

/// The API over the database of a system.
pub(crate) async fn api(system: &System) -> Api {
    let (program, url) = system.bff().await;
    Api::new(program, url)
}
