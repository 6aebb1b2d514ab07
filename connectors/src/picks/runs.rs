//! The runs that may count, as the database has them.

use crate::postgres::PostgresClient;
use rust_decimal::Decimal;
use tokio_postgres::Row;
use turnstile_dataflows::model::{LogicalTime, Price};
use turnstile_dataflows::picks::{Merged, Pick, Producer, ProducerId, Run, Score};

use super::PicksError;

/// The newest run of each producer, a row a pick; one without picks has one row all the same.
const RUNS: &str = "SELECT n.id, n.producer_id, n.priority, n.weight, n.run_id,
        (extract(epoch FROM n.asof_ts) * 1000000)::bigint AS asof_us,
        (extract(epoch FROM n.received_ts) * 1000000)::bigint AS received_us,
        (extract(epoch FROM statement_timestamp()) * 1000000)::bigint AS now_us,
        k.symbol, k.score, k.confidence, k.rank, k.price_max,
        (extract(epoch FROM k.valid_until) * 1000000)::bigint AS until_us
    FROM trade.pick_runs_newest n LEFT JOIN trade.picks k ON k.pick_run_id = n.id
    ORDER BY n.id, k.symbol";

/// What has arrived.
#[derive(Debug, Default)]
pub(super) struct Arrived {
    /// When it was read, by the clock of the database.
    pub(super) now: LogicalTime,
    pub(super) runs: Vec<Run>,
    /// When each of them came.
    received: Vec<(ProducerId, LogicalTime)>,
}

impl Arrived {
    /// Returns when the last of those came who name `pick`.
    pub(super) fn latest(&self, pick: &Merged) -> Option<LogicalTime> {
        let names = |id: ProducerId| pick.sources().iter().any(|source| source.producer.id == id);
        let came = self.received.iter().filter(|(id, _at)| names(*id));
        came.map(|(_id, at)| *at).max()
    }
}

/// Reads the runs that may count.
pub(super) async fn load(client: &PostgresClient) -> Result<Arrived, PicksError> {
    let mut arrived = Arrived::default();
    for row in &client.query(RUNS, &[]).await? {
        arrived.now = time(row.try_get("now_us")?);
        let arrival: i64 = row.try_get("id")?;
        if arrived.runs.last().map(|run| run.arrival) != Some(arrival) {
            let producer = producer(row)?;
            let received = time(row.try_get("received_us")?);
            arrived.received.push((producer.id, received));
            arrived.runs.push(Run {
                producer,
                run_id: row.try_get::<_, &str>("run_id")?.into(),
                arrival,
                asof: time(row.try_get("asof_us")?),
                picks: Vec::new(),
            });
        }
        if let (Some(run), Some(symbol)) = (arrived.runs.last_mut(), row.try_get("symbol")?) {
            run.picks.push(pick(row, symbol)?);
        }
    }
    Ok(arrived)
}

fn producer(row: &Row) -> Result<Producer, PicksError> {
    let id: i32 = row.try_get("producer_id")?;
    let weight: Decimal = row.try_get("weight")?;
    let weight = Score::try_from(weight).map_err(|error| PicksError::Row {
        table: "trade.pick_producers",
        key: id.to_string(),
        reason: format!("weight: {error}"),
    })?;
    Ok(Producer {
        priority: row.try_get("priority")?,
        id: ProducerId(id),
        weight,
    })
}

fn pick(row: &Row, symbol: &str) -> Result<Pick, PicksError> {
    let score: Decimal = row.try_get("score")?;
    let confidence: &str = row.try_get("confidence")?;
    let price_max: Option<Decimal> = row.try_get("price_max")?;
    let until: Option<i64> = row.try_get("until_us")?;
    let run: i64 = row.try_get("id")?;
    let fault = |reason: String| PicksError::Row {
        table: "trade.picks",
        key: format!("{run} {symbol}"),
        reason,
    };
    let price_max = price_max.map(Price::try_from).transpose();
    Ok(Pick {
        symbol: symbol.parse().map_err(|error| fault(format!("{error}")))?,
        score: Score::try_from(score).map_err(|error| fault(error.to_string()))?,
        confidence: confidence
            .parse()
            .map_err(|error| fault(format!("confidence {error}")))?,
        rank: row.try_get("rank")?,
        price_max: price_max.map_err(|error| fault(format!("price_max: {error}")))?,
        until: until.map(time),
    })
}

/// Returns the time so many microseconds after the Unix epoch; what is before it counts as the epoch.
pub(super) fn time(micros: i64) -> LogicalTime {
    LogicalTime::from_micros(u64::try_from(micros).unwrap_or_default())
}
