//! What of a file does not matter, how the program is called, and what it tells.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use turnstile_tests::program;

use crate::rig::{Folder, HEADER};

const DECISION: &str = "1001,p1,A,SL1,OPEN,4,97,97,p1:1:OPEN:SL1:1\n";

#[test]
fn compression_order_of_columns_line_ends_and_offsets_do_not_matter() {
    let folder = Folder::new();
    let plain = "ts,symbol,price\n1000,A,97\n";
    let compressed = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let twice = [compressed("ts,symbol,price\n"), compressed("1000,A,97\n")].concat();
    let variants: [Vec<u8>; 8] = [
        plain.into(),
        compressed(plain),
        twice,
        "price,ts,symbol\r\n97.0000,1000,A\r\n".into(),
        "\u{feff}ts,symbol,price\n\n1000,A,97".into(),
        "ts,symbol,price\n1970-01-01T00:00:00.001Z,A,97\n".into(),
        "ts,symbol,price\n1970-01-01T09:00:00.0010009+09:00,A,97\n".into(),
        "\"ts\",\"symbol\",\"price\",\"bid\",\"volume\",\"source\"\n\"1000\",\"A\",\"97\",,,\"a,b\"\n".into(),
    ];
    for ticks in variants {
        folder.write("ticks.csv", &ticks);
        let ended = folder.replay(&[]);
        assert_eq!(
            ended.decisions(),
            DECISION,
            "{:?}",
            String::from_utf8_lossy(&ticks)
        );
    }
    for name in ["positions.csv", "rules.toml"] {
        let text = std::fs::read_to_string(folder.path(name)).unwrap();
        folder.write(name, compressed(&text));
        assert_eq!(folder.replay(&[]).decisions(), DECISION);
    }
}

#[test]
fn the_output_may_stand_anywhere() {
    let folder = Folder::new();
    folder.write("ticks.csv", "ts,symbol,price\n1000,A,97\n");
    std::fs::create_dir(folder.path("sub")).unwrap();
    let ended = folder.replay(&["--out", "sub/decisions"]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let decisions = std::fs::read_to_string(folder.path("sub/decisions")).unwrap();
    assert_eq!(decisions, format!("{HEADER}{DECISION}"));
    let ended = folder.replay(&["--out", "nowhere/decisions"]);
    assert_eq!(ended.status, 1);
    assert!(
        ended
            .stderr
            .starts_with("turnstile: nowhere/decisions cannot be written: "),
        "{}",
        ended.stderr
    );
    let ended = folder.replay(&["--out", "/dev/stderr"]);
    assert!(
        ended.stderr.starts_with(&format!("{HEADER}{DECISION}")),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_file_that_is_not_there_is_a_failure_of_another_kind() {
    let folder = Folder::new();
    for option in ["--ticks", "--positions", "--rules", "--atr", "--control"] {
        let ended = folder.replay(&[option, "nothing"]);
        assert_eq!(ended.status, 1, "{}", ended.stderr);
        assert!(
            ended
                .stderr
                .starts_with("turnstile: nothing cannot be read: "),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(folder.names(), ["positions.csv", "rules.toml", "ticks.csv"]);
}

#[test]
fn a_wrong_command_line_has_status_2() {
    let folder = Folder::new();
    for options in [
        ["--fills", "half"],
        ["--workers", "0"],
        ["--batch", "0"],
        ["--tick", "x"],
    ] {
        assert_eq!(folder.replay(&options).status, 2, "{options:?}");
    }
    assert_eq!(folder.run(&[]).status, 2);
}

#[test]
fn the_last_line_is_the_summary() {
    let folder = Folder::new();
    folder.write("ticks.csv", "ts,symbol,price\n1000,A,97\n2000,B,97\n");
    let ended = folder.replay(&[]);
    let figures = ended.figures();
    let keys: Vec<&String> = figures.as_object().unwrap().keys().collect();
    let expected = [
        "decisions",
        "positions",
        "seconds",
        "ticks",
        "ticks_per_second",
    ];
    assert_eq!(keys, expected); // A map of this library is sorted.
    assert_eq!(
        (
            &figures["ticks"],
            &figures["positions"],
            &figures["decisions"]
        ),
        (&2.into(), &1.into(), &1.into())
    );
    assert!(figures["seconds"].is_f64() && figures["ticks_per_second"].is_u64());
    assert!(
        ended
            .stderr
            .starts_with("{\"ticks\":2,\"positions\":1,\"decisions\":1,\"seconds\":")
    );
    assert_eq!(ended.stderr.lines().count(), 1, "no bar without a terminal");
}

#[test]
fn no_configuration_is_read() {
    let folder = Folder::new();
    let output = std::process::Command::new(program())
        .args([
            "replay",
            "--ticks",
            "ticks.csv",
            "--positions",
            "positions.csv",
        ])
        .args(["--rules", "rules.toml", "--out", "out.csv"])
        .env("TURNSTILE_CONFIG", "/nonexistent")
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    assert!(output.status.success());
}

#[test]
fn a_signal_ends_the_replay_and_leaves_nothing_behind() {
    let folder = Folder::new();
    std::fs::remove_file(folder.path("ticks.csv")).unwrap();
    let before = folder.names();
    mkfifo(&folder.path("ticks.csv"), Mode::S_IRWXU).unwrap();
    let mut program = std::process::Command::new(program())
        .args([
            "replay",
            "--ticks",
            "ticks.csv",
            "--positions",
            "positions.csv",
        ])
        .args(["--rules", "rules.toml", "--out", "out.csv"])
        .env("RUST_LOG", "info")
        .current_dir(folder.path(""))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Opened once the program reads it; it then waits for more.
    let mut ticks = std::fs::File::create(folder.path("ticks.csv")).unwrap();
    ticks.write_all(b"ts,symbol,price\n1000,A,97\n").unwrap();
    let pid = i32::try_from(program.id()).unwrap();
    kill(Pid::from_raw(pid), Signal::SIGINT).unwrap();
    let mut told = BufReader::new(program.stderr.take().unwrap()).lines();
    let stopping = told.next().unwrap().unwrap();
    assert!(stopping.contains("stopping"), "{stopping}");
    drop(ticks);
    assert_eq!(program.wait().unwrap().code(), Some(1));
    let last = told.last().unwrap().unwrap();
    assert_eq!(last, "turnstile: stopped by a signal; nothing was written");
    std::fs::remove_file(folder.path("ticks.csv")).unwrap();
    assert_eq!(folder.names(), before);
}

#[test]
fn help_describes_the_files_by_an_example_that_holds() {
    let folder = Folder::new();
    let output = crate::rig::replay_in(&folder.path(""), &["--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    for word in [
        "--ticks",
        "--positions",
        "--rules",
        "--out",
        "--atr",
        "--control",
        "--fills",
        "--workers",
        "--batch",
        "--skip-bad",
        "RFC 3339",
        "EMERGENCY_FLATTEN",
        "atr_pct",
        "prev_close",
        "gzip",
    ] {
        assert!(help.contains(word), "{word} in\n{help}");
    }
    // The lines of the example, without what stands left of them.
    let shown = |name: &str, lines: usize| -> String {
        let from = help.find(&format!("\n  {name} ")).unwrap();
        let lines = help[from + 1..].lines().take(lines);
        lines
            .map(|line| format!("{}\n", line[17..].trim()))
            .collect()
    };
    folder.write("ticks.csv", shown("ticks.csv", 2));
    folder.write("positions.csv", shown("positions.csv", 2));
    folder.write("rules.toml", shown("rules.toml", 2));
    let ended = folder.replay(&[]);
    let decision = ended.decisions().trim().to_owned();
    assert!(!decision.is_empty());
    assert!(help.contains(&decision), "{decision}\n{help}");
}
