//! This process and the machine it runs on, as the system tells; and other processes of this
//! program.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Returns the resident memory of this process in bytes.
///
/// # Errors
/// If the system does not tell.
pub(crate) fn resident_bytes() -> anyhow::Result<u64> {
    status_bytes("self", "VmRSS:")
}

/// Returns the resident memory of the process `pid` in bytes.
///
/// # Errors
/// If there is no such process.
pub(crate) fn resident_bytes_of(pid: u32) -> anyhow::Result<u64> {
    status_bytes(&pid.to_string(), "VmRSS:")
}

/// Returns the most memory that was ever resident, in bytes.
///
/// # Errors
/// If the system does not tell.
pub(crate) fn peak_bytes() -> anyhow::Result<u64> {
    status_bytes("self", "VmHWM:")
}

/// Returns how long this thread has had a processor: what a measurement takes where others keep
/// the machine busy. Some milliseconds coarse.
///
/// # Errors
/// If the system does not tell.
pub(crate) fn thread_time() -> anyhow::Result<Duration> {
    const SCHEDSTAT: &str = "/proc/thread-self/schedstat";
    let text = fs::read_to_string(SCHEDSTAT).context(SCHEDSTAT)?;
    let nanos = text.split_whitespace().next().map(str::parse);
    let nanos = nanos.and_then(Result::ok).context("no time in schedstat")?;
    Ok(Duration::from_nanos(nanos))
}

fn status_bytes(process: &str, name: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = fs::read_to_string(&path).with_context(|| path.clone())?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse::<u64>().ok())
        .with_context(|| format!("{path} has no {name}"))?;
    Ok(kilobytes * 1_024)
}

/// Runs this program again with `arguments` and returns the JSON that it prints.
///
/// # Errors
/// If it fails, or prints something else.
pub(crate) fn rerun<T: DeserializeOwned>(arguments: &[String]) -> anyhow::Result<T> {
    let program = std::env::current_exe().context("the path of this program")?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("this program cannot be started again")?;
    ensure!(
        output.status.success(),
        "{} failed: {}",
        arguments.join(" "),
        output.status
    );
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{} printed no result", arguments.join(" ")))
}

/// The machine a measurement was made on.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory_gib: u64,
    kernel: String,
    /// Runnable threads over the last minute at the start: others disturb a measurement.
    load: String,
}

impl Machine {
    /// Describes this machine; what the system does not tell is empty.
    pub(crate) fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let after_colon = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            Some(line.split_once(':')?.1.trim().to_owned())
        };
        let memory_kib = after_colon(&read("/proc/meminfo"), "MemTotal")
            .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        let load = read("/proc/loadavg");
        Self {
            cpu: after_colon(&read("/proc/cpuinfo"), "model name").unwrap_or_default(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: memory_kib.unwrap_or_default() / (1 << 20),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: load.split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}
