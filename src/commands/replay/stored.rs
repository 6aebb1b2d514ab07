//! `turnstile replay --from-database`: a stored day, and whether it comes out again.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::civil::Date;
use tokio::time::Instant;
use turnstile_connectors::postgres::{Postgres, migrate};
use turnstile_connectors::recorded::{DecisionFile, RecordedError};
use turnstile_connectors::stored_day::{Difference, Made, Pace, Replayed, Watch, record, replay};
use turnstile_dataflows::model::LogicalTime;

use super::stop_on_signal;
use crate::config::Config;

/// What a replay came to that found differences: a status of its own. Its lines have told everything.
#[derive(Debug)]
pub(crate) struct Differs;

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the day does not come out as it was decided")
    }
}

impl std::error::Error for Differs {}

const WHOLE: u64 = 1_000_000;

/// Shows how far the replay is, and writes decisions.
struct Scribe {
    bar: ProgressBar,
    file: Option<DecisionFile>,
}

impl Watch for Scribe {
    fn decided(&mut self, made: &Made) -> Result<(), RecordedError> {
        match (&mut self.file, made) {
            (None, _) => Ok(()),
            (Some(file), Made::Exit(decision)) => file.write(decision.time, decision),
            (Some(file), Made::Entry(verdict)) => file.write_submission(verdict),
        }
    }

    fn progress(&self) -> Arc<dyn Fn(u64, u64) + Send + Sync> {
        let bar = self.bar.clone();
        Arc::new(move |millionths, ticks| {
            bar.set_position(millionths);
            bar.set_message(format!("{ticks} ticks"));
        })
    }
}

pub(super) async fn run(
    config: &Config,
    day: Date,
    workers: u16,
    out: Option<&Path>,
) -> anyhow::Result<()> {
    let begin = Instant::now();
    config.check_stores()?;
    let stop = stop_on_signal()?;
    migrate(&config.postgres).await?;
    let postgres = Postgres::connect(&config.postgres).await?;
    let style = ProgressStyle::with_template("{bar:40} {percent} %, {msg}, {eta} left");
    let mut scribe = Scribe {
        bar: ProgressBar::new(WHOLE).with_style(style.context("the progress bar")?),
        file: out.map(DecisionFile::create).transpose()?,
    };
    let how = (usize::from(workers), Pace::Full);
    let replayed = replay(&postgres, day, how, &mut scribe, &stop).await;
    scribe.bar.finish_and_clear();
    let replayed = replayed?;
    record(&postgres, &replayed)
        .await
        .context("the result cannot be stored")?;
    if let Some(file) = scribe.file {
        file.finish()?;
    }
    for difference in &replayed.kept {
        println!("{}", line(difference));
    }
    tell_end(begin, &replayed);
    if replayed.differences > 0 {
        return Err(Differs.into());
    }
    Ok(())
}

/// A difference in one line.
fn line(difference: &Difference) -> String {
    let (kind, key) = (difference.kind.name(), &difference.action_key);
    let time = LogicalTime::from_micros(difference.decided_us);
    let values = difference.field.as_ref().map(|field| {
        let [live, replayed] = [&difference.live, &difference.replayed]
            .map(|value| value.as_deref().unwrap_or("nothing"));
        format!(" {field}: stored {live}, now {replayed}")
    });
    let values = values.unwrap_or_default();
    format!("{kind} {key} at {time}, {}{values}", difference.position)
}

/// Tells the figures, as the last line.
fn tell_end(begin: Instant, replayed: &Replayed) {
    let Replayed {
        ticks,
        events,
        decisions,
        unproven,
        differences,
        ..
    } = replayed;
    let micros = begin.elapsed().as_micros();
    eprintln!(
        "{{\"ticks\":{ticks},\"events\":{events},\"decisions\":{decisions},\
         \"unproven\":{unproven},\"differences\":{differences},\"seconds\":{}.{:06}}}",
        micros / 1_000_000,
        micros % 1_000_000,
    );
}
