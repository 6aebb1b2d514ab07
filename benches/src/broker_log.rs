//! When orders arrived at the simulated broker, by its own log.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use turnstile_tests::System;

/// Returns the arrival of each order by its number, microseconds since the Unix epoch.
///
/// # Errors
/// If an order arrived twice.
pub(crate) async fn arrivals(system: &System) -> anyhow::Result<BTreeMap<String, i64>> {
    let mut arrived = BTreeMap::new();
    let log = system.get("/log").await;
    let calls = log["calls"]
        .as_array()
        .context("the simulator's log has calls")?;
    for call in calls {
        let number = call["outcome"]["odno"].as_str();
        if let (Some(number), Some(at_us)) = (number, call["at_us"].as_i64()) {
            ensure!(
                arrived.insert(number.to_owned(), at_us).is_none(),
                "order {number} arrived twice"
            );
        }
    }
    Ok(arrived)
}
