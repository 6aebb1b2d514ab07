//! What was kept, back into the database.

use std::io::{BufRead, BufReader};

use metrics::counter;
use tokio_postgres::types::ToSql;
use tracing::{error, info};

use super::file::Leftover;
use super::metrics::{DAMAGED, RESTORED};
use super::{Kept, Spill, SpillError};
use crate::execution::{Notice, Unstored};
use crate::postgres::{Postgres, PostgresError, PriceRow, store_again};

/// Notes that nobody has judged the ticks from `$1` to `$2`.
const NOTE: &str = "INSERT INTO system.engine_events (logical_us, seq, kind, payload)
    VALUES ($1, 0, 'unjudged', jsonb_build_object('through_us', $2::bigint))
    ON CONFLICT (logical_us, seq) DO NOTHING";
/// Notes a decision that was not stored, unless it was all the same.
const UNSTORED: &str =
    "INSERT INTO trade.decisions_unstored (action_key, logical_us, symbol, decision)
    SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT FROM trade.orders WHERE action_key = $1)
    ON CONFLICT (action_key) DO NOTHING";
/// Rows stored in one transaction.
const TOGETHER: usize = 10_000;

/// What was restored.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Ticks that were kept.
    pub ticks: u64,
    /// Ticks that were not in the database yet.
    pub new_ticks: u64,
    /// Notices that were kept, in their order. Nobody has handled them.
    pub notices: Vec<Notice>,
    /// Ticks among them that nobody has judged.
    pub unjudged: u64,
    /// Decisions among them that were not stored.
    pub decisions: u64,
    /// The last logical time, microseconds; 0 where there is none.
    pub last_us: u64,
    /// Lines that could not be read.
    pub damaged: u64,
}

/// Stores the ticks that were kept, those of processes that are gone first, and adds the rest to
/// `restored`. What is kept while it works stays for the next time. The journal says which ticks nobody has
/// judged.
///
/// # Errors
/// If the database or the disk does not do it. What was not stored stays where it is.
pub async fn restore(
    spill: &Spill,
    postgres: &Postgres,
    restored: &mut Restored,
) -> Result<(), SpillError> {
    let (before, notices) = (restored.ticks, restored.notices.len());
    for path in spill.left()? {
        let Some(leftover) = spill.claim(&path)? else {
            continue;
        };
        let damaged = restored.damaged;
        store_file(&leftover, postgres, restored).await?;
        let is_damaged = restored.damaged > damaged;
        spill.done(leftover, is_damaged)?;
    }
    let (ticks, notices) = (restored.ticks - before, restored.notices.len() - notices);
    if ticks > 0 || notices > 0 {
        info!(ticks, notices, "what was kept on disk is restored");
    }
    Ok(())
}

/// Stores what no file has.
///
/// # Errors
/// If the database does not do it.
pub async fn store(
    kept: Vec<Kept>,
    postgres: &Postgres,
    restored: &mut Restored,
) -> Result<(), SpillError> {
    if kept.is_empty() {
        return Ok(());
    }
    let mut client = postgres.connect_alone().await?;
    let (mut ticks, mut notes) = (Vec::new(), Notes::default());
    for kept in kept {
        take(kept, &mut ticks, &mut notes, restored);
    }
    store_ticks(&mut client, &mut ticks, restored).await?;
    note(&client, notes, restored).await
}

/// What is stored once its ticks are.
#[derive(Default)]
struct Notes {
    /// First and last logical time of ticks that nobody has judged.
    unjudged: Option<(u64, u64)>,
    decisions: Vec<Unstored>,
}

fn take(kept: Kept, ticks: &mut Vec<PriceRow>, notes: &mut Notes, restored: &mut Restored) {
    match kept {
        Kept::Tick(tick) => ticks.push(*tick),
        Kept::Unjudged(tick) => {
            let us = tick.logical_us;
            let (first, last) = notes.unjudged.unwrap_or((us, us));
            notes.unjudged = Some((first.min(us), last.max(us)));
            restored.unjudged += 1;
            ticks.push(*tick);
        }
        Kept::Notice(notice) => restored.notices.push(notice),
        Kept::Decision(decision) => notes.decisions.push(*decision),
    }
}

async fn note(
    client: &tokio_postgres::Client,
    notes: Notes,
    restored: &mut Restored,
) -> Result<(), SpillError> {
    let micros = |us: u64| i64::try_from(us).unwrap_or(i64::MAX);
    if let Some((first, last)) = notes.unjudged {
        let noted = client.execute(NOTE, &[&micros(first), &micros(last)]).await;
        noted.map_err(PostgresError::from)?;
    }
    for unstored in notes.decisions {
        let time = micros(unstored.time.micros());
        let symbol = unstored.symbol.to_string();
        let values: [&(dyn ToSql + Sync); 4] =
            [&unstored.action_key, &time, &symbol, &unstored.decision];
        let noted = client.execute(UNSTORED, &values).await;
        restored.decisions += noted.map_err(PostgresError::from)?;
    }
    Ok(())
}

/// Stores the ticks of one file.
async fn store_file(
    leftover: &Leftover,
    postgres: &Postgres,
    restored: &mut Restored,
) -> Result<(), SpillError> {
    let unreadable = |source| SpillError::file(&leftover.path, "read", source);
    let mut lines = BufReader::new(&leftover.file);
    let mut client = postgres.connect_alone().await?;
    let (mut line, mut number, mut ticks) = (Vec::new(), 0_u64, Vec::new());
    let mut notes = Notes::default();
    loop {
        line.clear();
        number += 1;
        let len = lines.read_until(b'\n', &mut line).map_err(unreadable)?;
        // What does not end was being written when its process died.
        let is_whole = line.pop() == Some(b'\n');
        if len == 0 || !is_whole {
            break;
        }
        match Kept::read(&line) {
            Ok(kept) => take(kept, &mut ticks, &mut notes, restored),
            Err(fault) => {
                restored.damaged += 1;
                counter!(DAMAGED).increment(1);
                let file = leftover.path.display();
                error!(%file, line = number, fault, "what was kept cannot be read");
            }
        }
        if ticks.len() == TOGETHER {
            store_ticks(&mut client, &mut ticks, restored).await?;
        }
    }
    store_ticks(&mut client, &mut ticks, restored).await?;
    note(&client, notes, restored).await
}

async fn store_ticks(
    client: &mut tokio_postgres::Client,
    ticks: &mut Vec<PriceRow>,
    restored: &mut Restored,
) -> Result<(), SpillError> {
    let new = store_again(client, ticks).await?;
    counter!(RESTORED).increment(new);
    restored.new_ticks += new;
    restored.ticks += u64::try_from(ticks.len()).unwrap_or_default();
    let last_us = ticks.iter().map(|tick| tick.logical_us).max();
    restored.last_us = restored.last_us.max(last_us.unwrap_or_default());
    ticks.clear();
    Ok(())
}
