//! The file of decisions.

use std::fs::{OpenOptions, Permissions};
use std::io::{self, BufWriter, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use turnstile_dataflows::exit::ExitDecision;
use turnstile_dataflows::model::{LogicalTime, Price, Quantity};
use turnstile_dataflows::reentry::{ReentryVerdict, Verdict};

use super::error::RecordedError;
use super::house::Bought;

const HEADER: [&str; 9] = [
    "ts",
    "position_id",
    "symbol",
    "reason",
    "phase",
    "qty",
    "price",
    "level",
    "action_key",
];

/// Decisions on their way into a file. It gets its name when all are written; dropped before, it
/// leaves nothing behind.
#[derive(Debug)]
pub struct DecisionFile {
    file: PathBuf,
    /// The name is that of a pipe or a device, to which the decisions are copied at the end.
    is_special: bool,
    writer: csv::Writer<BufWriter<NamedTempFile>>,
    count: u64,
}

impl DecisionFile {
    /// Begins the decisions of `file`, under another name beside it.
    ///
    /// # Errors
    /// If nothing can be written there.
    pub fn create(file: &Path) -> Result<Self, RecordedError> {
        begin(file).map_err(|source| RecordedError::Write {
            file: file.to_owned(),
            source,
        })
    }

    /// Writes a decision of the recorded time `time`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(
        &mut self,
        time: LogicalTime,
        decision: &ExitDecision,
    ) -> Result<(), RecordedError> {
        let (time, qty) = (time.to_string(), decision.qty.to_string());
        let (price, level) = (decision.price.to_string(), decision.level.to_string());
        let symbol = decision.symbol.text();
        self.record([
            &time,
            decision.position.as_str(),
            &symbol,
            decision.reason.name(),
            decision.phase.name(),
            &qty,
            &price,
            &level,
            decision.action_key.as_str(),
        ])
    }

    /// Writes a purchase of the recorded time `time`: a row without a phase.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_entry(
        &mut self,
        time: LogicalTime,
        verdict: &ReentryVerdict,
        bought: &Bought,
    ) -> Result<(), RecordedError> {
        let what = (bought.qty, bought.price, bought.level);
        self.write_purchase(time, bought.position.as_str(), verdict, what)
    }

    /// Writes a purchase that was only decided: a row without a phase, whose position is the candidate.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_submission(&mut self, verdict: &ReentryVerdict) -> Result<(), RecordedError> {
        let Verdict::Submit { qty, level, .. } = &verdict.verdict else {
            return Ok(());
        };
        let what = (*qty, verdict.price.unwrap_or(*level), *level);
        self.write_purchase(verdict.time, verdict.candidate.as_str(), verdict, what)
    }

    fn write_purchase(
        &mut self,
        time: LogicalTime,
        position: &str,
        verdict: &ReentryVerdict,
        (qty, price, level): (Quantity, Price, Price),
    ) -> Result<(), RecordedError> {
        let Verdict::Submit {
            reason, action_key, ..
        } = &verdict.verdict
        else {
            return Ok(());
        };
        let symbol = verdict.symbol.text();
        self.record([
            &time.to_string(),
            position,
            &symbol,
            reason,
            "",
            &qty.to_string(),
            &price.to_string(),
            &level.to_string(),
            action_key.as_str(),
        ])
    }

    fn record(&mut self, record: [&str; 9]) -> Result<(), RecordedError> {
        self.count += 1;
        let written = self.writer.write_record(record);
        written.map_err(|error| RecordedError::Write {
            file: self.file.clone(),
            source: error.into(),
        })
    }

    /// Returns how many decisions were written.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Gives the file its name: from here on it is there, whole.
    ///
    /// # Errors
    /// If what is left cannot be written, or the file not be named.
    pub fn finish(self) -> Result<(), RecordedError> {
        let file = self.file.clone();
        self.name()
            .map_err(|source| RecordedError::Write { file, source })
    }

    fn name(self) -> io::Result<()> {
        let buffered = self.writer.into_inner().map_err(|error| {
            let cause = error.error();
            io::Error::new(cause.kind(), cause.to_string())
        })?;
        let mut unnamed = buffered.into_inner().map_err(|error| error.into_error())?;
        if self.is_special {
            unnamed.rewind()?;
            let mut named = OpenOptions::new().write(true).open(&self.file)?;
            io::copy(&mut unnamed, &mut named)?;
        } else {
            unnamed.persist(&self.file)?;
        }
        Ok(())
    }
}

fn begin(file: &Path) -> io::Result<DecisionFile> {
    let kind = file.metadata().ok().map(|stands| stands.file_type());
    if kind.is_some_and(|kind| kind.is_dir()) {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let is_special = kind.is_some_and(|kind| !kind.is_file());
    // What stands under a link is replaced, not the link.
    let target = match kind {
        Some(kind) if kind.is_file() => file.canonicalize()?,
        _ => file.to_owned(),
    };
    let folder = match target.parent() {
        _ if is_special => std::env::temp_dir(),
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let unnamed = tempfile::Builder::new()
        .prefix(".turnstile-replay-")
        .permissions(Permissions::from_mode(0o666)) // Less what the mask of the process takes.
        .tempfile_in(folder)?;
    let mut writer = csv::Writer::from_writer(BufWriter::new(unnamed));
    writer.write_record(HEADER)?;
    Ok(DecisionFile {
        file: target,
        is_special,
        writer,
        count: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out.csv");
        drop(DecisionFile::create(&file).unwrap());
        assert_eq!(names(folder.path()), Vec::<String>::new());
        std::fs::write(&file, "before").unwrap();
        let decisions = DecisionFile::create(&file).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "before");
        decisions.finish().unwrap();
        assert_eq!(names(folder.path()), ["out.csv"]);
        let header = "ts,position_id,symbol,reason,phase,qty,price,level,action_key\n";
        assert_eq!(std::fs::read_to_string(&file).unwrap(), header);
    }

    #[test]
    fn a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("out.csv"), folder.path().join("link"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        DecisionFile::create(&link).unwrap().finish().unwrap();
        assert!(link.is_symlink());
        assert!(std::fs::read_to_string(&file).unwrap().starts_with("ts,"));
    }

    #[test]
    fn a_device_stays_one() {
        DecisionFile::create(Path::new("/dev/null"))
            .unwrap()
            .finish()
            .unwrap();
        assert!(!Path::new("/dev/null").is_file());
    }

    #[test]
    fn a_folder_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        for place in [folder.path().to_owned(), folder.path().join("none/out.csv")] {
            let error = DecisionFile::create(&place).unwrap_err();
            assert!(matches!(error, RecordedError::Write { .. }), "{error:?}");
        }
    }
}
