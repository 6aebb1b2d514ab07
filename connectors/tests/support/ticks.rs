//! Ticks for the price sink, and what the database has of them.

use tokio_postgres::Client;
use turnstile_connectors::postgres::{PriceRow, PriceSinkHandle};
use turnstile_dataflows::model::Price;

/// 2026-11-24 14:59:59.990000 in UTC, ten milliseconds before midnight in Seoul.
pub(crate) const START_US: u64 = 1_795_532_399_990_000;

/// Returns tick `number` of a run: one a microsecond, across midnight, over `symbols` issues.
pub(crate) fn tick(number: u64, symbols: u64) -> PriceRow {
    let price = i64::try_from(10_000 + number).unwrap();
    PriceRow {
        logical_us: START_US + number,
        symbol: format!("{:06}", number % symbols).parse().unwrap(),
        exchange_us: START_US / 1_000_000 * 1_000_000,
        received_us: START_US + number,
        source: "KIS_WS",
        last: Price::from_units(price).unwrap(),
        bid: Some(Price::from_units(price - 1).unwrap()),
        ask: None,
        volume: 3,
        day_volume: Some(10),
        day_value: Some("123456.5".parse().unwrap()),
        change: Some("-100".parse().unwrap()),
        change_rate: Some("-1.25".parse().unwrap()),
        bid_volume: None,
        ask_volume: Some(7),
        session: "REGULAR",
    }
}

/// Waits until everything up to `logical_us` is committed.
pub(crate) async fn flushed(prices: &PriceSinkHandle, logical_us: u64) {
    prices.want(logical_us);
    let mut durable = prices.durable();
    let durable = durable.wait_for(|durable| *durable >= logical_us);
    tokio::time::timeout(crate::servers::PATIENCE, durable)
        .await
        .expect("ticks are not committed")
        .expect("the sink ended");
}

/// Returns the logical times in the database, in order.
pub(crate) async fn stored(client: &Client) -> Vec<u64> {
    let query = "SELECT logical_us FROM market.prices ORDER BY logical_us";
    let rows = client.query(query, &[]).await.unwrap();
    rows.iter()
        .map(|row| u64::try_from(row.get::<_, i64>(0)).unwrap())
        .collect()
}

/// Returns the number that `query` gives.
pub(crate) async fn count(client: &Client, query: &str) -> i64 {
    client.query_one(query, &[]).await.unwrap().get(0)
}
