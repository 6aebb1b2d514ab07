//! A storm: all stops break within a second, at the broker's real rate of orders.

use std::time::Duration;

use anyhow::Context;
use serde::Serialize;
use tokio::time::Instant;

use super::{Args, CLOSE, PER_SYMBOL, all_sold, codes, market, posted, stop};
use crate::broker_log::arrivals;
use crate::process::Machine;

/// Orders a second that the broker takes of one account (KIS Open API, since 2026).
const BROKER_RATE: u32 = 18;

/// What `orders --storm` prints.
#[derive(Debug, Serialize)]
struct Storm {
    machine: Machine,
    stops: usize,
    seconds: f64,
    per_second: f64,
    /// Orders that left before one of higher severity or larger loss that had been decided by then.
    out_of_order: usize,
}

/// Breaks `stops` stops at once, and prints.
///
/// # Errors
/// If an order is missing or doubled.
pub(super) async fn run(args: Args, stops: usize) -> anyhow::Result<()> {
    let codes = codes(stops.div_ceil(PER_SYMBOL));
    let system = market(&codes, BROKER_RATE, args.fill_after).await;
    let stream = system.stream("").await;
    // One price per symbol breaks all its stops.
    let began = Instant::now();
    for (index, symbol) in codes.iter().enumerate() {
        let depth = i64::try_from(index % 7).unwrap_or_default() * 100;
        system.trade(symbol, CLOSE / 100 * 79 - depth).await;
    }
    let positions = codes.len() * PER_SYMBOL;
    println!(
        "{positions} stops broken within {:.2} s",
        began.elapsed().as_secs_f64()
    );
    all_sold(&system, positions).await?;
    let rows = system
        .query(
            "SELECT n.broker_order_no, o.reason_code, o.decided_us,
                ((o.price / p.avg_price - 1) * 1000000)::bigint AS result_ppm,
                (extract(epoch FROM o.created_ts) * 1000000)::bigint AS stored_us
             FROM trade.orders o JOIN trade.orders_now n USING (order_id)
             JOIN trade.positions p ON p.position_id = o.position_id",
            &[],
        )
        .await;
    let posted = posted(&system, arrivals(&system).await?).await?;
    let mut orders: Vec<(i64, i64, u8, i64)> = Vec::new();
    for row in &rows {
        let number: String = row.get("broker_order_no");
        let (_, at_us) = posted.get(&number).context("every order arrived")?;
        let rank = u8::from(row.get::<_, &str>("reason_code") != "HARDSTOP");
        orders.push((*at_us, row.get("stored_us"), rank, row.get("result_ppm")));
    }
    orders.sort_unstable();
    stop(stream, system).await;
    let first = orders.first().map_or(0, |order| order.0);
    let last = orders.last().map_or(0, |order| order.0);
    let seconds =
        Duration::from_micros(u64::try_from(last - first).unwrap_or_default()).as_secs_f64();
    let report = Storm {
        machine: Machine::here(),
        stops: positions,
        seconds,
        per_second: per_second(positions, seconds),
        out_of_order: out_of_order(&orders),
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!(
            "{positions} orders sent in {seconds:.1} s, {:.1} a second; {} out of order",
            report.per_second, report.out_of_order
        );
    }
    Ok(())
}

/// Orders in the order of their arrival: when, when stored, rank of the reason, result. Counts those
/// after which one came that ranks higher although it had been stored a second before: what a lane
/// has taken already goes on.
fn out_of_order(orders: &[(i64, i64, u8, i64)]) -> usize {
    let is_overtaken = |index: usize| {
        let (at, _, rank, result) = orders[index];
        orders[index + 1..].iter().any(|(_, stored, later, loss)| {
            stored + 1_000_000 < at && (*later, *loss) < (rank, result)
        })
    };
    (0..orders.len())
        .filter(|index| is_overtaken(*index))
        .count()
}

#[expect(clippy::float_arithmetic, reason = "a figure for people")]
fn per_second(count: usize, seconds: f64) -> f64 {
    crate::figures::Count::float(count) / seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_left_before_a_higher_one_known_by_then_is_counted() {
        let second = 1_000_000;
        let orders = [
            (5 * second, 0, 1, -10),
            (6 * second, 0, 0, -5),
            (7 * second, 0, 1, -20),
        ];
        assert_eq!(out_of_order(&orders), 1);
        let late = [(5 * second, 0, 1, -10), (6 * second, 5 * second, 0, -5)];
        assert_eq!(out_of_order(&late), 0);
    }
}
