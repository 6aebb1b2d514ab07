//! Decisions as they are compared between contestants, and the file that carries them.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use turnstile_dataflows::exit::ExitDecision;
use turnstile_dataflows::model::ExitReason;

use crate::input::position_number;

/// What must be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decided {
    pub(crate) time_us: u64,
    /// Number of the position.
    pub(crate) position: u32,
    pub(crate) reason: ExitReason,
    pub(crate) qty: i64,
    /// In units of a price.
    pub(crate) level: i64,
}

/// Bytes of one decision in a file.
const BYTES: usize = 32;

impl Decided {
    /// Returns what is compared of a decision of the engine.
    ///
    /// # Errors
    /// If the position is not of the input.
    pub(crate) fn of(decision: &ExitDecision) -> anyhow::Result<Self> {
        Ok(Self {
            time_us: decision.time.micros(),
            position: position_number(&decision.position)?,
            reason: decision.reason,
            qty: decision.qty.shares(),
            level: decision.level.units(),
        })
    }

    fn bytes(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&self.time_us.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.position.to_le_bytes());
        bytes[12] = self.reason.severity();
        bytes[13..16].copy_from_slice(&self.reason.code().as_bytes()[..3]);
        bytes[16..24].copy_from_slice(&self.qty.to_le_bytes());
        bytes[24..].copy_from_slice(&self.level.to_le_bytes());
        bytes
    }
}

/// Decisions read back from a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stream(Vec<u8>);

/// Writes decisions to a file.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write(path: &Path, decisions: &[Decided]) -> anyhow::Result<()> {
    let bytes: Vec<u8> = decisions.iter().flat_map(Decided::bytes).collect();
    fs::write(path, bytes).with_context(|| format!("decisions to {}", path.display()))
}

impl Stream {
    /// Reads decisions from a file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("decisions in {}", path.display()))?;
        ensure!(bytes.len() % BYTES == 0, "{} is cut off", path.display());
        Ok(Self(bytes))
    }

    /// Returns how many of the decisions come after `time_us`.
    pub(crate) fn count_after(&self, time_us: u64) -> usize {
        self.0
            .chunks(BYTES)
            .filter(|row| time_of(row) > time_us)
            .count()
    }

    /// Checks that `other` says the same through `through_us`.
    ///
    /// # Errors
    /// If it does not; names the first difference.
    pub(crate) fn ensure_equal(
        &self,
        other: &Self,
        through_us: u64,
        who: &str,
    ) -> anyhow::Result<()> {
        let within = |stream: &Self| {
            let rows = stream.0.chunks(BYTES).map(<[u8]>::to_vec);
            rows.take_while(|row| time_of(row) <= through_us)
                .collect::<Vec<_>>()
        };
        let (ours, theirs) = (within(self), within(other));
        let first = ours.iter().zip(&theirs).position(|(a, b)| a != b);
        if let Some(index) = first {
            let (a, b) = (text(&ours[index]), text(&theirs[index]));
            anyhow::bail!("decision {index} of {who} differs: {a} against {b}");
        }
        ensure!(
            ours.len() == theirs.len(),
            "{who}: {} decisions against {}",
            theirs.len(),
            ours.len()
        );
        Ok(())
    }
}

fn number<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut number = [0; N];
    number.copy_from_slice(&bytes[..N]);
    number
}

fn time_of(row: &[u8]) -> u64 {
    u64::from_le_bytes(number(row))
}

fn text(row: &[u8]) -> String {
    format!(
        "time {} position {} {}.. qty {} level {}",
        time_of(row),
        u32::from_le_bytes(number(&row[8..])),
        String::from_utf8_lossy(&row[13..16]),
        i64::from_le_bytes(number(&row[16..])),
        i64::from_le_bytes(number(&row[24..])),
    )
}
