//! The token's file: readable by its owner alone, replaced as a whole.

use std::io;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::fs;
use tokio::io::AsyncWriteExt;
use tracing::warn;
use uuid::Uuid;

use super::Token;
use crate::kis::config::KisSettings;

/// Where the token is kept.
pub(super) struct Cache {
    path: PathBuf,
    owner: Uuid,
}

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// Fingerprint of server and app key: a token of other ones is of no use.
    owner: Uuid,
    access_token: String,
    asked_us: u64,
    expires_us: u64,
}

impl Cache {
    pub(super) fn new(settings: &KisSettings) -> Self {
        let owner = format!(
            "{}\n{}",
            settings.rest_url,
            settings.app_key.expose_secret()
        );
        Self {
            path: settings.token_cache.clone(),
            owner: Uuid::new_v5(&Uuid::NAMESPACE_URL, owner.as_bytes()),
        }
    }

    /// Returns the token of the file, `None` where there is none of this server and app key.
    pub(super) async fn load(&self) -> Option<Token> {
        let bytes = match fs::read(&self.path).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                warn!(path = %self.path.display(), %error, "token cache not readable");
                return None;
            }
        };
        match serde_json::from_slice::<Stored>(&bytes) {
            Ok(stored) if stored.owner == self.owner => Some(Token {
                value: SecretString::from(stored.access_token),
                asked_us: stored.asked_us,
                expires_us: stored.expires_us,
            }),
            Ok(_) => None,
            Err(_) => {
                // The error text would repeat what it read.
                warn!(path = %self.path.display(), "token cache does not hold a token");
                None
            }
        }
    }

    /// Replaces the file. A fault is logged: the token works without its file.
    pub(super) async fn store(&self, token: &Token) {
        let stored = Stored {
            owner: self.owner,
            access_token: token.value.expose_secret().to_owned(),
            asked_us: token.asked_us,
            expires_us: token.expires_us,
        };
        let written = match serde_json::to_vec(&stored) {
            Ok(bytes) => replace(&self.path, &bytes).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = written {
            warn!(path = %self.path.display(), %error, "token cache not written");
        }
    }
}

/// Writes `bytes` to a new file beside `path` and renames it over `path`.
async fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).await?;
    }
    let fresh = path.with_extension(format!("{}.new", Uuid::new_v4()));
    let written = async {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)
            .await?;
        file.write_all(bytes).await?;
        file.sync_all().await?;
        fs::rename(&fresh, path).await
    }
    .await;
    if written.is_err() {
        drop(fs::remove_file(&fresh).await); // The first error is the one to report.
    }
    written
}
