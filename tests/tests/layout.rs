//! The direction of imports: `src → bff → connectors → strategy → dataflows`, and what each may use.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn needs(package: &Package) -> BTreeSet<String> {
    let normal = package
        .dependencies
        .iter()
        .filter(|edge| edge.kind == DependencyKind::Normal);
    normal.map(|edge| edge.name.clone()).collect()
}

fn own(names: &BTreeSet<String>) -> Vec<&str> {
    names
        .iter()
        .map(String::as_str)
        .filter(|name| name.starts_with("turnstile"))
        .collect()
}

#[test]
fn crates_depend_only_along_the_arrow() {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let allowed: [(&str, &[&str]); 9] = [
        (
            "turnstile",
            &[
                "turnstile-bff",
                "turnstile-connectors",
                "turnstile-dataflows",
                "turnstile-exchange-sim",
            ],
        ),
        (
            "turnstile-bff",
            &["turnstile-connectors", "turnstile-dataflows"],
        ),
        (
            "turnstile-connectors",
            &["turnstile-dataflows", "turnstile-strategy"],
        ),
        ("turnstile-strategy", &["turnstile-dataflows"]),
        ("turnstile-dataflows", &[]),
        ("turnstile-exchange-sim", &[]),
        (
            "benches",
            &[
                "turnstile-connectors",
                "turnstile-dataflows",
                "turnstile-strategy",
                "turnstile-tests",
            ],
        ),
        (
            "turnstile-tests",
            &[
                "turnstile-connectors",
                "turnstile-dataflows",
                "turnstile-oracle",
                "turnstile-strategy",
            ],
        ),
        ("turnstile-oracle", &["turnstile-dataflows"]),
    ];
    assert_eq!(metadata.packages.len(), allowed.len());
    for (name, edges) in allowed {
        let package = metadata
            .packages
            .iter()
            .find(|package| package.name.as_str() == name)
            .unwrap();
        let needs = needs(package);
        for edge in own(&needs) {
            assert!(edges.contains(&edge), "{name} must not depend on {edge}");
        }
        if ["turnstile-dataflows", "turnstile-strategy"].contains(&name) {
            for driver in [
                "tokio",
                "tokio-postgres",
                "redis",
                "reqwest",
                "hyper",
                "axum",
                "tracing",
                "jiff",
            ] {
                assert!(
                    !needs.contains(driver),
                    "{name} does no I/O, but depends on {driver}"
                );
            }
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn lines_with(folder: &str, words: &[&str]) -> Vec<String> {
    let mut files = Vec::new();
    sources(&root().join(folder), &mut files);
    assert!(!files.is_empty(), "{folder} has sources");
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for line in text
            .lines()
            .filter(|line| words.iter().any(|word| line.contains(word)))
        {
            found.push(format!("{}: {line}", file.display()));
        }
    }
    found
}

#[test]
fn the_bff_uses_only_the_stores_of_the_connectors() {
    let foreign = ["kis", "execution", "exits", "embedded", "recorded", "rows"]
        .map(|module| format!("turnstile_connectors::{module}"));
    let foreign: Vec<&str> = foreign.iter().map(String::as_str).collect();
    assert_eq!(lines_with("bff/src", &foreign), Vec::<String>::new());
}

#[test]
fn dataflows_know_no_clock_socket_or_environment() {
    let words = [
        "SystemTime",
        "Instant",
        "std::net",
        "std::fs",
        "std::env",
        "std::io",
    ];
    for folder in ["dataflows/src", "dataflows/strategy/src"] {
        assert_eq!(lines_with(folder, &words), Vec::<String>::new());
    }
}

#[test]
fn the_simulator_shares_no_code_with_the_connectors() {
    assert_eq!(
        lines_with(
            "connectors/exchange-sim/src",
            &[
                "turnstile_connectors",
                "turnstile_dataflows",
                "turnstile_strategy"
            ]
        ),
        Vec::<String>::new()
    );
}
