//! The fuzz target of frames, notices and control messages: samples, bent without end.
//!
//! `TURNSTILE_FUZZ_MINUTES=10 cargo test --release -p turnstile-connectors --lib fuzz -- --nocapture`
//! runs it for long; otherwise it runs for a second. A fault shows the text; the seed is printed.

use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::Instant;

use super::server::{IV, KEY, samples};
use crate::kis::notices::{StreamKey, notices};
use crate::kis::order::Account;
use crate::kis::parse;
use crate::kis::ws::control::read;

/// Numbers and texts that have broken parsers before.
const WORDS: [&str; 14] = [
    "",
    "0",
    "-0",
    "-1",
    "999999999999999999999",
    "-9223372036854775808",
    "1e9",
    "0.00001",
    "NaN",
    "235960",
    "^",
    "|",
    "\u{feff}",
    "가",
];

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn seeds() -> Vec<String> {
    let mut seeds = vec![format!("id^5012345601^{}", ["0"; 24].join("^"))];
    let files = [
        "h0stcnt0-frames.txt",
        "h0stcni0-notices.json",
        "ws-control-messages.json",
    ];
    for file in samples()
        .into_iter()
        .flat_map(|folder| files.map(|file| folder.join(file)))
    {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        seeds.extend(
            text.lines()
                .filter(|line| line.len() > 8)
                .map(str::to_owned),
        );
        seeds.push(text);
    }
    seeds
}

/// Bends a text: a character, a field, a cut, a repetition, a piece of another.
fn bend(text: &str, other: &str, dice: &mut impl Rng) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..dice.random_range(1..6) {
        let at = dice.random_range(0..=chars.len());
        let to = (at + dice.random_range(0..12)).min(chars.len());
        match dice.random_range(0..6) {
            0 if at < chars.len() => chars[at] = char::from(dice.random::<u8>()),
            1 => drop(chars.splice(at..to, WORDS[dice.random_range(0..WORDS.len())].chars())),
            2 => chars.truncate(at),
            3 => {
                let piece: Vec<char> = chars[at..to].to_vec();
                drop(chars.splice(at..at, piece));
            }
            4 => {
                let other: Vec<char> = other.chars().collect();
                let from = dice.random_range(0..=other.len());
                drop(chars.splice(at..to, other[from..].iter().copied().take(40)));
            }
            _ => drop(chars.drain(at..to)),
        }
    }
    chars.into_iter().collect()
}

fn feed(text: &str, account: &Account, key: &StreamKey) {
    if let Ok(frame) = parse::frame(text) {
        let payload = frame.payload.as_bytes();
        parse::trades(payload, frame.count, 7, &mut Vec::new(), &mut Vec::new());
        notices(
            payload,
            frame.count,
            account,
            7,
            &mut Vec::new(),
            &mut Vec::new(),
        );
    }
    notices(
        text.as_bytes(),
        1,
        account,
        7,
        &mut Vec::new(),
        &mut Vec::new(),
    );
    drop(key.decrypt(text));
    drop(read(text));
}

#[test]
fn no_bent_sample_panics() {
    let minutes = variable("TURNSTILE_FUZZ_MINUTES", 0);
    let duration = match minutes {
        0 => Duration::from_secs(1),
        minutes => Duration::from_secs(60 * minutes),
    };
    let seed = variable("TURNSTILE_SEED", 1);
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let account: Account = "50123456-01".parse().unwrap();
    let key = StreamKey::new(KEY, IV).unwrap();
    let seeds = seeds();
    let (began, mut count) = (Instant::now(), 0_u64);
    while began.elapsed() < duration {
        for _ in 0..1_000 {
            let text = &seeds[dice.random_range(0..seeds.len())];
            let other = &seeds[dice.random_range(0..seeds.len())];
            let bent = bend(text, other, &mut dice);
            let fed = std::panic::AssertUnwindSafe(|| feed(&bent, &account, &key));
            assert!(
                std::panic::catch_unwind(fed).is_ok(),
                "seed {seed}: {bent:?}"
            );
            count += 1;
        }
    }
    println!(
        "{count} texts in {} s, seed {seed}",
        began.elapsed().as_secs()
    );
}
