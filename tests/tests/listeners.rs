//! What listens where nothing was said about addresses: on loopback alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::sys::signal::Signal;
use turnstile_tests::{Program, eventually};

/// State of a listening socket in `/proc/net/tcp`.
const LISTENING: &str = "0A";

/// Returns `program` and its private servers, which have sessions of their own: PostgreSQL by the data
/// folder in its command line, Redis by what is noted of it there.
fn processes(program: u32, folder: &str) -> Vec<u32> {
    let noted = fs::read_to_string(format!("{folder}/redis.process")).unwrap();
    let redis: u32 = noted.split_once(' ').unwrap().0.parse().unwrap();
    let entries = fs::read_dir("/proc").unwrap();
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_of_it = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        [program, redis].contains(pid) || String::from_utf8_lossy(&line).contains(folder)
    };
    ids.filter(is_of_it).collect()
}

/// Returns the inodes of the sockets of a process.
fn sockets(pid: u32) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return BTreeSet::new();
    };
    let links = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let inode = |link: std::path::PathBuf| {
        let text = link.to_str()?.strip_prefix("socket:[")?;
        Some(text.strip_suffix(']')?.to_owned())
    };
    links.filter_map(inode).collect()
}

/// Returns the address of a line: words of four bytes, each the least significant byte first.
fn address(hex: &str) -> IpAddr {
    let words = (0..hex.len()).step_by(8);
    let words = words.map(|at| u32::from_str_radix(&hex[at..at + 8], 16).unwrap());
    let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
    match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(bytes) => Ipv4Addr::from(bytes).into(),
        Err(_) => {
            let bytes: [u8; 16] = bytes.try_into().unwrap();
            Ipv6Addr::from(bytes).to_canonical()
        }
    }
}

/// Returns the addresses on which these sockets listen.
fn listening(sockets: &BTreeSet<String>) -> Vec<IpAddr> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables.map(|table| fs::read_to_string(table).unwrap_or_default());
    let mut found = Vec::new();
    for line in tables.iter().flat_map(|table| table.lines().skip(1)) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, state, _, _, _, _, _, inode, ..] = fields[..] else {
            continue;
        };
        if state == LISTENING && sockets.contains(inode) {
            let (hex, _port) = local.split_once(':').unwrap();
            found.push(address(hex));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_of_a_default_configuration_listens_on_loopback() {
    let folder = tempfile::Builder::new().prefix("tsl").tempdir().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path(), mode).unwrap();
    let data = folder.path().join("data").display().to_string();
    // The port of the default may be taken; its address has a test of its own beside it.
    let config = folder.path().join("turnstile.toml");
    fs::write(&config, "[stream]\nmetrics_listen = \"127.0.0.1:0\"\n").unwrap();
    let config = config.display().to_string();
    let arguments = [
        "--config",
        &config,
        "run",
        "--data-dir",
        &data,
        "--listen",
        "127.0.0.1:0",
    ];
    let mut run = Program::start(&arguments, &[], &folder.path().join("run.log"));
    run.says("Turnstile:").await;
    let processes = processes(run.id().unwrap(), &data);
    assert!(processes.len() >= 3, "servers and the whole: {processes:?}");
    let sockets = processes.into_iter().flat_map(sockets).collect();
    let addresses = listening(&sockets);
    // API, and the broker's two and the control port of the simulator; the servers have sockets.
    assert!(addresses.len() >= 4, "{addresses:?}");
    let foreign: Vec<_> = addresses
        .iter()
        .filter(|address| !address.is_loopback())
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    eventually("it has started", async || {
        run.log().contains("every symbol is subscribed")
    })
    .await;
    run.signal(Signal::SIGINT);
    assert!(run.ended().await, "it ends in order");
}
