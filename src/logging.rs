//! The log: on standard error, one line an event, without secrets.
//!
//! Whatever a library or an answer of the broker puts into a line: keys, passwords, addresses of alarms
//! and the number of the account are replaced before it is written. Of the number its end stays, so that
//! accounts can be told apart.

use std::io::{self, Write};
use std::sync::{PoisonError, RwLock};

use anyhow::anyhow;
use secrecy::ExposeSecret;
use tracing_subscriber::EnvFilter;

use crate::config::Config;

/// What lines must not show, and what they show instead. The longest come first: one may be part of
/// another.
static HIDDEN: RwLock<Vec<(String, String)>> = RwLock::new(Vec::new());
/// Shorter texts are no secrets, and would be found in words.
const SECRET_LENGTH_MIN: usize = 6;

/// Installs the log. `RUST_LOG` overrides the level.
pub(crate) fn install(is_json: bool) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new("info"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Masked(io::stderr()));
    let installed = if is_json {
        builder.json().try_init()
    } else {
        builder.with_target(false).try_init()
    };
    installed.map_err(|error| anyhow!("the log cannot be installed: {error}"))
}

/// Hides the secrets of `config`, and all but the end of the account, in every line from now on.
pub(crate) fn hide_secrets(config: &Config) {
    let kis = &config.kis;
    let more = kis.more_keys.iter();
    let keys = more.flat_map(|key| [&key.app_key, &key.app_secret]);
    let alarms = [
        config.monitoring.webhook.url.as_ref(),
        config.monitoring.telegram.token.as_ref(),
    ];
    let secrets = keys.chain([&kis.app_key, &kis.app_secret]);
    let secrets = secrets.chain(alarms.into_iter().flatten());
    let secrets = secrets.map(|secret| secret.expose_secret().to_owned());
    let urls = std::iter::once(&config.postgres.url).chain(&config.redis.url);
    let written = urls.flat_map(|url| passwords(url.expose_secret()));
    let passwords = [config.postgres.password(), config.redis.password()];
    let passwords = written.chain(passwords.into_iter().flatten());
    let is_secret = |text: &String| text.len() >= SECRET_LENGTH_MIN;
    let secrets = secrets.chain(passwords).filter(is_secret);
    let secrets = secrets.flat_map(|secret| [escaped(&secret), secret]);
    let account = kis.account.expose_secret().split('-').next();
    let account = account.map(str::to_owned).filter(is_secret);

    let mut hidden = HIDDEN.write().unwrap_or_else(PoisonError::into_inner);
    hidden.extend(secrets.map(|secret| (secret, "***".to_owned())));
    hidden.extend(account.map(|digits| {
        let end = digits.get(digits.len() - 2..).unwrap_or_default();
        let shown = format!("***{end}");
        (digits, shown)
    }));
    hidden.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
    hidden.dedup();
}

/// Returns a secret as it stands in JSON.
fn escaped(secret: &str) -> String {
    let json = serde_json::Value::from(secret).to_string();
    json.trim_matches('"').to_owned()
}

/// Returns the passwords of a URL, `scheme://user:password@host` or among its parameters, as they are
/// written there.
fn passwords(url: &str) -> Vec<String> {
    let Some((_scheme, rest)) = url.split_once("://") else {
        return Vec::new();
    };
    let user = rest.rsplit_once('@').map(|(user, _host)| user);
    let own = user.and_then(|user| user.split_once(':'));
    let query = rest.split_once('?').map_or("", |(_place, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let parameters = pairs.filter(|(name, _)| matches!(*name, "password" | "pass"));
    let found = own.into_iter().chain(parameters);
    found.map(|(_name, password)| password.to_owned()).collect()
}

/// A writer of whole lines that hides what must not be shown.
struct Masked<W>(W);

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let hidden = HIDDEN.read().unwrap_or_else(PoisonError::into_inner);
        self.0.write_all(mask(line, &hidden).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Says why the program ends, on standard error, without secrets.
pub(crate) fn tell_end(error: &anyhow::Error) {
    // The chain in one line: what was attempted, and why it failed.
    let line = format!("turnstile: {error:#}\n");
    // Where standard error is gone there is nobody to tell.
    drop(Masked(io::stderr()).write_all(line.as_bytes()));
}

fn mask(line: &[u8], hidden: &[(String, String)]) -> String {
    let line = String::from_utf8_lossy(line).into_owned();
    hidden.iter().fold(line, |line, (secret, shown)| {
        if line.contains(secret) {
            line.replace(secret, shown)
        } else {
            line
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_no_secret_and_the_end_of_the_account() {
        let account = ("50123456".to_owned(), "***56".to_owned());
        let hidden = [("PSkey-and-more".to_owned(), "***".to_owned()), account];
        for (line, shown) in [
            ("ordered for 50123456-01", "ordered for ***56-01"),
            ("{\"CANO\":\"50123456\"}", "{\"CANO\":\"***56\"}"),
            ("key PSkey-and-more", "key ***"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(mask(line.as_bytes(), &hidden), shown);
        }
        assert_eq!(mask(b"\xff ok", &hidden), "\u{fffd} ok");
        assert_eq!(escaped(r#"a"b\c"#), r#"a\"b\\c"#);
        for (url, found) in [
            ("redis://:p%40ss@h", "p%40ss"),
            ("postgresql://u:p%40ss@one,two/db?sslmode=require", "p%40ss"),
            ("redis+unix:///s?db=1&pass=p%40ss", "p%40ss"),
        ] {
            assert_eq!(passwords(url), [found], "{url}");
        }
    }
}
