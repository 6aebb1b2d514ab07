//! Several app keys: the account's own, and further ones for quotes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{KisConfig, KisSettings};

/// A further app key as a configuration file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// App key.
    pub app_key: SecretString,
    /// App secret.
    pub app_secret: SecretString,
    /// File that keeps its access token; absent means that of the account's, with `-2`, `-3` ... added.
    pub token_cache: Option<PathBuf>,
}

/// A checked further app key.
#[derive(Clone, Debug)]
pub struct MoreKey {
    /// App key.
    pub app_key: SecretString,
    /// App secret.
    pub app_secret: SecretString,
    /// File that keeps its access token.
    pub token_cache: PathBuf,
}

impl KisConfig {
    /// Returns the checked further keys. Two sessions under one key would throw each other out, and two
    /// tokens in one file replace each other.
    pub(super) fn further_keys(&self, faults: &mut Vec<String>) -> Vec<MoreKey> {
        let mut keys = BTreeSet::from([self.app_key.expose_secret()]);
        let mut files = BTreeSet::from([self.token_cache.clone()]);
        let mut more = Vec::new();
        for (index, key) in self.more_keys.iter().enumerate() {
            let place = |name: &str| format!("more_keys[{index}].{name}");
            check_text(&place("app_key"), key.app_key.expose_secret(), faults);
            check_text(&place("app_secret"), key.app_secret.expose_secret(), faults);
            if !keys.insert(key.app_key.expose_secret()) {
                let place = place("app_key");
                faults.push(format!("kis.{place}: must differ from every other app key"));
            }
            let token_cache = match &key.token_cache {
                Some(file) => file.clone(),
                None => numbered(&self.token_cache, index + 2),
            };
            if !files.insert(token_cache.clone()) {
                let place = place("token_cache");
                faults.push(format!(
                    "kis.{place}: must differ from every other token cache"
                ));
            }
            more.push(MoreKey {
                app_key: key.app_key.clone(),
                app_secret: key.app_secret.clone(),
                token_cache,
            });
        }
        more
    }
}

impl KisSettings {
    /// Returns the settings of each app key, those of the account's own first.
    pub fn of_each_key(&self) -> Vec<Self> {
        let more = self.more_keys.iter().map(|key| Self {
            app_key: key.app_key.clone(),
            app_secret: key.app_secret.clone(),
            token_cache: key.token_cache.clone(),
            ..self.clone()
        });
        std::iter::once(self.clone()).chain(more).collect()
    }
}

/// Checks a text that goes to the broker as it is.
pub(super) fn check_text(key: &str, value: &str, faults: &mut Vec<String>) {
    let text = value.trim();
    if text.is_empty() || text.len() != value.len() || !text.is_ascii() {
        let len = value.chars().count();
        faults.push(format!(
            "kis.{key}: must be a text of ASCII characters without blanks around it, was {len} characters"
        ));
    }
}

/// Returns `kis-token-2.json` for `kis-token.json`.
fn numbered(file: &Path, number: usize) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = match file.extension() {
        Some(extension) => format!("{stem}-{number}.{}", extension.to_string_lossy()),
        None => format!("{stem}-{number}"),
    };
    file.with_file_name(name)
}
