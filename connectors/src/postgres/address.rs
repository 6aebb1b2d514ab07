//! Where the database is: the hosts of a connection string, and how each of them is reached.
//!
//! 1. What libpq knows and the driver does not is read here: `sslrootcert`, `sslcert`, `sslkey`, and the
//!    modes `verify-ca` and `verify-full`.
//! 2. With several hosts, and nothing said about it, only a server that takes writes will do.
//! 3. Nothing that is printed or returned as an error has the password.

mod parameters;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use super::pool::chain;
use super::tls::{Tls, TlsMode};
use parameters::Parameters;

/// A connection string that was read.
#[derive(Clone)]
pub(super) struct Address {
    /// One for each host, in their order; at least one.
    pub(super) hosts: Vec<Config>,
    /// How connections are encrypted.
    pub(super) tls: Tls,
}

impl Address {
    /// Reads a URL or key-value pairs.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parameters = Parameters::parse(text)?;
        let mode = match parameters.take("sslmode").as_deref() {
            None | Some("prefer") => TlsMode::Prefer,
            Some("disable") => TlsMode::Disable,
            Some("require") => TlsMode::Require,
            Some("verify-ca") => TlsMode::VerifyCa,
            Some("verify-full") => TlsMode::VerifyFull,
            Some(other) => {
                return Err(format!(
                    "sslmode: disable, prefer, require, verify-ca or verify-full expected, was {other:?}"
                ));
            }
        };
        let tls = Tls {
            mode,
            root: parameters.take("sslrootcert"),
            certificate: parameters.take("sslcert"),
            key: parameters.take("sslkey"),
        };
        let config = parameters.rest().parse::<Config>();
        let mut config = config.map_err(|error| chain(&error))?;
        config.ssl_mode(match mode {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
        });
        let hosts = single(&config)?;
        let is_open = config.get_target_session_attrs() == TargetSessionAttrs::Any;
        let is_asked = parameters.take("target_session_attrs").is_some();
        let mut address = Self { hosts, tls };
        if address.hosts.len() > 1 && is_open && !is_asked {
            address.each(|host| {
                host.target_session_attrs(TargetSessionAttrs::ReadWrite);
            });
        }
        Ok(address)
    }

    /// Changes the settings of each host.
    pub(super) fn each(&mut self, change: impl Fn(&mut Config)) {
        self.hosts.iter_mut().for_each(change);
    }

    /// Returns the password, decoded.
    pub(super) fn password(&self) -> Option<String> {
        let password = self.hosts.first()?.get_password()?;
        Some(String::from_utf8_lossy(password).into_owned())
    }
}

impl std::fmt::Display for Address {
    /// The hosts and the database: `one:5432,two:5432/turnstile`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hosts: Vec<_> = self.hosts.iter().map(place).collect();
        let database = self.hosts.first().and_then(Config::get_dbname);
        let database = database.unwrap_or("(default database)");
        write!(f, "{}/{database}", hosts.join(","))
    }
}

/// Returns where a single host is.
pub(super) fn place(config: &Config) -> String {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    match (config.get_hosts().first(), config.get_hostaddrs().first()) {
        (Some(Host::Tcp(name)), _) => format!("{name}:{port}"),
        (Some(Host::Unix(path)), _) => format!("{}:{port}", path.display()),
        (None, Some(address)) => format!("{address}:{port}"),
        (None, None) => String::from("(no host)"),
    }
}

/// Returns the settings for each host of `config` alone.
fn single(config: &Config) -> Result<Vec<Config>, String> {
    let (names, addresses) = (config.get_hosts(), config.get_hostaddrs());
    let ports = config.get_ports();
    let count = names.len().max(addresses.len());
    if count == 0 {
        return Err("host: at least one expected".to_owned());
    }
    for (what, given) in [("host", names.len()), ("hostaddr", addresses.len())] {
        if given > 0 && given != count {
            return Err(format!("{what}: {count} expected, was {given}"));
        }
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(format!("port: 1 or {count} expected, was {}", ports.len()));
    }
    let hosts = (0..count).map(|index| {
        let mut host = common(config);
        match names.get(index) {
            Some(Host::Tcp(name)) => host.host(name),
            // The driver does not encrypt over a socket, and need not ask.
            Some(Host::Unix(path)) => host.host_path(path).ssl_mode(SslMode::Disable),
            None => &mut host,
        };
        if let Some(address) = addresses.get(index) {
            host.hostaddr(*address);
        }
        if let Some(port) = ports.get(index).or(ports.first()) {
            host.port(*port);
        }
        host
    });
    Ok(hosts.collect())
}

/// Returns what the settings of all hosts have in common. Times and keepalives are those of our own
/// configuration.
fn common(config: &Config) -> Config {
    let mut common = Config::new();
    if let Some(user) = config.get_user() {
        common.user(user);
    }
    if let Some(password) = config.get_password() {
        common.password(password);
    }
    if let Some(database) = config.get_dbname() {
        common.dbname(database);
    }
    if let Some(options) = config.get_options() {
        common.options(options);
    }
    common
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs());
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn several_hosts_are_reached_one_by_one_and_take_writes() {
        let both = [
            "postgresql://u:s%40cret@one,two:6543/db",
            "host=one,two port=5432,6543 user=u password='s@cret' dbname=db",
        ];
        for text in both {
            let address = read(text);
            assert_eq!(address.to_string(), "one:5432,two:6543/db");
            assert_eq!(address.password().as_deref(), Some("s@cret"));
            for host in &address.hosts {
                assert_eq!(host.get_hosts().len(), 1);
                assert_eq!(host.get_user(), Some("u"));
                assert_eq!(
                    host.get_target_session_attrs(),
                    TargetSessionAttrs::ReadWrite
                );
            }
        }
    }

    #[test]
    fn what_the_address_says_of_sessions_is_kept() {
        let target = |text| read(text).hosts[0].get_target_session_attrs();
        assert_eq!(
            target("postgresql://one,two/db?target_session_attrs=any"),
            TargetSessionAttrs::Any
        );
        assert_eq!(
            target("host=one,two target_session_attrs=read-only"),
            TargetSessionAttrs::ReadOnly
        );
        assert_eq!(target("postgresql://one/db"), TargetSessionAttrs::Any);
    }

    #[test]
    fn encryption_is_that_of_libpq() {
        let address =
            read("postgresql://one/db?sslmode=verify-full&sslrootcert=%2Fa%20b.pem&user=u");
        assert_eq!(address.tls.mode, TlsMode::VerifyFull);
        assert_eq!(address.tls.root.as_deref(), Some("/a b.pem"));
        assert_eq!(address.hosts[0].get_ssl_mode(), SslMode::Require);
        assert_eq!(address.hosts[0].get_user(), Some("u"));
        let address = read("host=one sslmode = require sslcert='/it\\'s' sslkey=/k");
        assert_eq!(address.tls.certificate.as_deref(), Some("/it's"));
        assert_eq!(address.tls.key.as_deref(), Some("/k"));
        assert_eq!(read("host=one").hosts[0].get_ssl_mode(), SslMode::Prefer);
        let socket = read("host=/tmp sslmode=require");
        assert_eq!(socket.hosts[0].get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn what_cannot_be_read_is_named_without_the_password() {
        for (text, named) in [
            ("postgresql://u:hidden@h/db?sslmode=allow", "sslmode"),
            ("postgresql://u:hidden@h/db?colour=red", "colour"),
            ("postgresql://u:hidden@h,g:x/db", "port"),
            ("user=u password=hidden", "host"),
            ("host=a,b port=1,2,3 password=hidden", "port"),
            ("host=a password='hidden", "quote"),
        ] {
            let error = Address::parse(text).err().unwrap();
            assert!(error.contains(named), "{error}");
            assert!(!error.contains("hidden"), "{error}");
        }
    }
}
