//! Levels: the view `trade.exit_levels`, kept by change.
//!
//! Only the newest levels of a position matter, so they wait on a board with one place a position:
//! behind a slow database the board does not grow, it gets newer. The writer empties it once in an
//! interval, so a position is written once in it at most.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use rust_decimal::Decimal;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use turnstile_dataflows::exit::{Level, PositionLevels, Side};
use turnstile_dataflows::model::{LogicalTime, PositionId};
use uuid::Uuid;

use super::config::ExitsConfig;
use super::metrics as names;
use crate::postgres::{Postgres, PostgresError};

/// Deletes what an earlier run has left of positions that have no levels now.
const CLEAN: &str = "DELETE FROM trade.exit_levels l WHERE NOT EXISTS (
    SELECT 1 FROM trade.positions p
    WHERE p.position_id = l.position_id AND p.status <> 'CLOSED' AND p.exit_mode = 'ENABLED')";

/// Writes the levels of the positions `$1`: the rows given, and no others. A row that stands like
/// this already is not written; a level that did not move keeps its time.
const WRITE: &str = "WITH told AS (
        SELECT * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
            $7::numeric[], $8::text[], $9::integer[], $10::text[], $11::numeric[], $12::bigint[])
            AS t(position_id, symbol, reason, rule_id, side, level, profile_id, profile_version,
                profile_level, hwm_price, since_us)
    ), gone AS (
        DELETE FROM trade.exit_levels l USING unnest($1::uuid[]) AS p(position_id)
        WHERE l.position_id = p.position_id AND NOT EXISTS (
            SELECT 1 FROM told t WHERE t.position_id = l.position_id AND t.reason = l.reason
                AND t.rule_id IS NOT DISTINCT FROM l.rule_id)
        RETURNING 1
    ), written AS (
        INSERT INTO trade.exit_levels AS l
            (position_id, symbol, reason, rule_id, side, level, profile_id, profile_version,
             profile_level, hwm_price, since)
        SELECT position_id, symbol, reason, rule_id, side, level, profile_id, profile_version,
            profile_level, hwm_price, timestamptz 'epoch' + since_us * interval '1 microsecond'
        FROM told
        ON CONFLICT (position_id, reason, rule_id) DO UPDATE SET
            symbol = excluded.symbol, side = excluded.side, level = excluded.level,
            profile_id = excluded.profile_id, profile_version = excluded.profile_version,
            profile_level = excluded.profile_level, hwm_price = excluded.hwm_price,
            since = CASE WHEN (l.side, l.level) = (excluded.side, excluded.level)
                THEN l.since ELSE excluded.since END
        WHERE (l.symbol, l.side, l.level, l.profile_id, l.profile_version, l.profile_level, l.hwm_price)
            IS DISTINCT FROM (excluded.symbol, excluded.side, excluded.level, excluded.profile_id,
                excluded.profile_version, excluded.profile_level, excluded.hwm_price)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM written)";

/// What waits for a position. No levels: it has none any more.
#[derive(Clone, Debug)]
struct Waiting {
    position: PositionId,
    time: LogicalTime,
    levels: Option<Box<PositionLevels>>,
}

impl Waiting {
    fn levels(&self) -> &[Level] {
        self.levels.as_ref().map_or(&[], |levels| &levels.levels)
    }
}

#[derive(Debug, Default)]
struct Board {
    newest: BTreeMap<PositionId, Waiting>,
    /// Positions in the order in which they began to wait, each once.
    order: VecDeque<PositionId>,
}

impl Board {
    fn put(&mut self, waiting: Waiting) {
        let position = waiting.position.clone();
        if self.newest.insert(position.clone(), waiting).is_none() {
            self.order.push_back(position);
        }
    }

    /// Takes positions of at most `rows_max` rows together, but one at least.
    fn take(&mut self, rows_max: usize) -> Vec<Waiting> {
        let (mut taken, mut rows) = (Vec::new(), 0);
        while let Some(position) = self.order.front() {
            let next = self.newest.get(position);
            // One that is gone counts as the one statement that it costs.
            rows += next.map_or(0, |waiting| waiting.levels().len().max(1));
            if rows > rows_max && !taken.is_empty() {
                break;
            }
            taken.extend(self.newest.remove(position));
            self.order.pop_front();
        }
        taken
    }

    /// Puts back what could not be written, before all others, unless something newer came.
    fn put_back(&mut self, taken: Vec<Waiting>) {
        for waiting in taken.into_iter().rev() {
            if !self.newest.contains_key(&waiting.position) {
                self.order.push_front(waiting.position.clone());
                self.newest.insert(waiting.position.clone(), waiting);
            }
        }
    }
}

/// Where levels are told.
#[derive(Clone, Debug, Default)]
pub struct LevelsBoard(Arc<Mutex<Board>>);

impl LevelsBoard {
    /// Puts the levels of a position up, in place of older ones that were not written yet.
    pub fn tell(&self, time: LogicalTime, levels: Box<PositionLevels>) {
        self.board().put(Waiting {
            position: levels.position.clone(),
            time,
            levels: Some(levels),
        });
    }

    /// Says that a position has no levels any more.
    pub fn forget(&self, time: LogicalTime, position: PositionId) {
        self.board().put(Waiting {
            position,
            time,
            levels: None,
        });
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self) -> usize {
        self.board().order.len()
    }
}

/// Writes levels.
#[derive(Debug)]
pub struct LevelsWriter {
    postgres: Postgres,
    board: LevelsBoard,
    every: Duration,
    rows_max: usize,
    is_clean: bool,
}

impl LevelsWriter {
    /// Returns where levels are told, and the task that writes them.
    pub fn new(postgres: &Postgres, config: &ExitsConfig) -> (LevelsBoard, Self) {
        let board = LevelsBoard::default();
        let writer = Self {
            postgres: postgres.clone(),
            board: board.clone(),
            every: config.levels_every,
            rows_max: config.levels_rows_max,
            is_clean: false,
        };
        (board, writer)
    }

    /// Writes levels until `stop`, and then once more what waits.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut next = tokio::time::interval(self.every);
        next.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut has_failed = false;
        loop {
            let is_stopping = stop.run_until_cancelled(next.tick()).await.is_none();
            let written = self.write_some().await;
            match (&written, has_failed) {
                (Err(error), false) => warn!(%error, "levels not written, retrying"),
                (Ok(()), true) => info!("levels written again"),
                _ => {}
            }
            has_failed = written.is_err();
            if is_stopping {
                return;
            }
        }
    }

    async fn write_some(&mut self) -> Result<(), PostgresError> {
        if !self.is_clean {
            let client = self.postgres.client().await?;
            client.execute(CLEAN, &[]).await?;
            self.is_clean = true;
        }
        let taken = self.board.board().take(self.rows_max);
        set_waiting(self.board.count());
        if taken.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        match write(&self.postgres, &taken).await {
            Ok(rows) => {
                counter!(names::LEVELS_ROWS).increment(rows);
                histogram!(names::LEVELS_SECONDS).record(began.elapsed());
                Ok(())
            }
            Err(error) => {
                counter!(names::LEVELS_FAILURES).increment(1);
                if error.is_transient() {
                    self.board.board().put_back(taken);
                } else {
                    // It would be refused again; what comes next is written.
                    error!(%error, positions = taken.len(), "levels refused");
                }
                Err(error)
            }
        }
    }
}

fn set_waiting(count: usize) {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    gauge!(names::LEVELS_WAITING).set(f64::from(count));
}

/// The columns of one statement.
#[derive(Default)]
struct Columns<'l> {
    told: Vec<Uuid>,
    positions: Vec<Uuid>,
    symbols: Vec<String>,
    reasons: Vec<&'static str>,
    rules: Vec<Option<&'l str>>,
    sides: Vec<&'static str>,
    levels: Vec<Decimal>,
    profiles: Vec<&'l str>,
    versions: Vec<i32>,
    chosen_by: Vec<&'static str>,
    marks: Vec<Option<Decimal>>,
    times: Vec<i64>,
}

impl<'l> Columns<'l> {
    fn of(taken: &'l [Waiting]) -> Self {
        let mut columns = Self::default();
        for waiting in taken {
            let Ok(id) = waiting.position.as_str().parse() else {
                continue; // Not a position of the database.
            };
            columns.told.push(id);
            if let Some(levels) = &waiting.levels {
                for level in &levels.levels {
                    columns.add(id, waiting.time, levels, level);
                }
            }
        }
        columns
    }

    fn add(&mut self, id: Uuid, time: LogicalTime, levels: &'l PositionLevels, level: &'l Level) {
        self.positions.push(id);
        self.symbols.push(levels.symbol.to_string());
        self.reasons.push(level.reason.code());
        self.rules.push(level.rule_id.as_deref());
        self.sides.push(match level.side {
            Side::Below => "BELOW",
            Side::Above => "ABOVE",
        });
        self.levels.push(level.level.to_decimal());
        self.profiles.push(levels.profile.as_str());
        self.versions
            .push(i32::try_from(levels.profile_version).unwrap_or(i32::MAX));
        self.chosen_by.push(levels.chosen_by.name());
        self.marks
            .push(levels.high_water_mark.map(|mark| mark.to_decimal()));
        self.times
            .push(i64::try_from(time.micros()).unwrap_or(i64::MAX));
    }
}

async fn write(postgres: &Postgres, taken: &[Waiting]) -> Result<u64, PostgresError> {
    let columns = Columns::of(taken);
    let client = postgres.client().await?;
    let statement = client.prepare_cached(WRITE).await?;
    let row = client
        .query_one(
            &statement,
            &[
                &columns.told,
                &columns.positions,
                &columns.symbols,
                &columns.reasons,
                &columns.rules,
                &columns.sides,
                &columns.levels,
                &columns.profiles,
                &columns.versions,
                &columns.chosen_by,
                &columns.marks,
                &columns.times,
            ],
        )
        .await?;
    Ok(u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(position: &str, time: u64) -> Waiting {
        Waiting {
            position: position.parse().unwrap(),
            time: LogicalTime::from_micros(time),
            levels: None,
        }
    }

    fn shown(taken: &[Waiting]) -> Vec<(String, u64)> {
        taken
            .iter()
            .map(|waiting| (waiting.position.to_string(), waiting.time.micros()))
            .collect()
    }

    #[test]
    fn the_board_keeps_the_newest_and_its_place() {
        let mut board = Board::default();
        for (position, time) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            board.put(waiting(position, time));
        }
        assert_eq!(shown(&board.take(2)), [("a".into(), 3), ("b".into(), 2)]);
        assert_eq!(shown(&board.take(2)), [("c".into(), 4)]);
        assert!(board.take(2).is_empty());
    }

    #[test]
    fn what_could_not_be_written_gives_way_to_newer() {
        let mut board = Board::default();
        for (position, time) in [("a", 1), ("b", 2), ("c", 3)] {
            board.put(waiting(position, time));
        }
        let taken = board.take(3);
        board.put(waiting("b", 9));
        board.put_back(taken);
        let again = shown(&board.take(3));
        assert_eq!(again, [("a".into(), 1), ("c".into(), 3), ("b".into(), 9)]);
    }
}
