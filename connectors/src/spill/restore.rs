//! What was kept, back into the database.

use std::io::{BufRead, BufReader};

use metrics::counter;
use tracing::{error, info};

use super::file::Leftover;
use super::metrics::{DAMAGED, RESTORED};
use super::{Kept, Spill, SpillError};
use crate::execution::Notice;
use crate::postgres::{Postgres, PostgresError, PriceRow, store_again};

/// Notes that nobody has judged the ticks from `$1` to `$2`.
const NOTE: &str = "INSERT INTO system.engine_events (logical_us, seq, kind, payload)
    VALUES ($1, 0, 'unjudged', jsonb_build_object('through_us', $2::bigint))
    ON CONFLICT (logical_us, seq) DO NOTHING";
/// Rows stored in one transaction.
const TOGETHER: usize = 10_000;

/// What was restored.
#[derive(Debug, Default)]
pub struct Restored {
    /// Ticks that were kept.
    pub ticks: u64,
    /// Ticks that were not in the database yet.
    pub new_ticks: u64,
    /// Notices that were kept, in their order. Nobody has handled them.
    pub notices: Vec<Notice>,
    /// Ticks among them that nobody has judged.
    pub unjudged: u64,
    /// The last logical time, microseconds; 0 where there is none.
    pub last_us: u64,
    /// Lines that could not be read.
    pub damaged: u64,
}

impl Restored {
    /// Adds what was restored later.
    pub fn add(&mut self, later: Self) {
        self.ticks += later.ticks;
        self.new_ticks += later.new_ticks;
        self.notices.extend(later.notices);
        self.unjudged += later.unjudged;
        self.last_us = self.last_us.max(later.last_us);
        self.damaged += later.damaged;
    }
}

/// Stores the ticks that were kept, those of processes that are gone first, and returns the rest. What is
/// kept while it works stays for the next time. The journal says which ticks nobody has judged.
///
/// # Errors
/// If the database or the disk does not do it. What was not stored stays where it is.
pub async fn restore(spill: &Spill, postgres: &Postgres) -> Result<Restored, SpillError> {
    let mut restored = Restored::default();
    for leftover in spill.take()? {
        let damaged = restored.damaged;
        store(&leftover, postgres, &mut restored).await?;
        let is_damaged = restored.damaged > damaged;
        spill.done(leftover, is_damaged)?;
    }
    if restored.ticks > 0 || !restored.notices.is_empty() {
        let (ticks, new, notices) = (restored.ticks, restored.new_ticks, restored.notices.len());
        info!(ticks, new, notices, "what was kept on disk is restored");
    }
    Ok(restored)
}

/// Stores the ticks of one file.
async fn store(
    leftover: &Leftover,
    postgres: &Postgres,
    restored: &mut Restored,
) -> Result<(), SpillError> {
    let unreadable = |source| SpillError::file(&leftover.path, "read", source);
    let mut lines = BufReader::new(&leftover.file);
    let mut client = postgres.connect_alone().await?;
    let (mut line, mut number, mut ticks) = (Vec::new(), 0_u64, Vec::new());
    let mut unjudged: Option<(u64, u64)> = None;
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
            Ok(Kept::Tick(tick)) => ticks.push(*tick),
            Ok(Kept::Unjudged(tick)) => {
                let us = tick.logical_us;
                let (first, last) = unjudged.unwrap_or((us, us));
                unjudged = Some((first.min(us), last.max(us)));
                restored.unjudged += 1;
                ticks.push(*tick);
            }
            Ok(Kept::Notice(notice)) => restored.notices.push(notice),
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
    if let Some((first, last)) = unjudged {
        let micros = |us: u64| i64::try_from(us).unwrap_or(i64::MAX);
        let noted = client.execute(NOTE, &[&micros(first), &micros(last)]).await;
        noted.map_err(PostgresError::from)?;
    }
    Ok(())
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
