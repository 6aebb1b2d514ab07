//! Encrypted connections to PostgreSQL and Redis, with certificates of an authority of the test.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use turnstile_connectors::postgres::{Postgres, PostgresConfig};
use turnstile_connectors::redis::{Cache, RedisConfig};

use crate::servers::{PostgresServer, RedisServer, eventually, give};

/// Authority, a certificate for `localhost` and one for a client, and another authority.
struct Certificates(TempDir);

impl Certificates {
    fn make() -> Self {
        let folder = tempfile::Builder::new().prefix("tsc").tempdir_in("/tmp");
        let certificates = Self(folder.unwrap());
        fs::set_permissions(certificates.0.path(), PermissionsExt::from_mode(0o755)).unwrap();
        for name in ["authority", "other"] {
            certificates.openssl(&format!(
                "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} \
                 -keyout {name}.key -out {name}.pem"
            ));
        }
        let names = certificates.path("names");
        fs::write(names, "subjectAltName = DNS:localhost").unwrap();
        for name in ["server", "client"] {
            certificates.openssl(&format!(
                "req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"
            ));
            certificates.openssl(&format!(
                "x509 -req -days 2 -in {name}.csr -CA authority.pem -CAkey authority.key \
                 -CAcreateserial -extfile names -out {name}.pem"
            ));
        }
        // A server takes a key that nobody else can read.
        let key = certificates.path("server.key");
        fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
        give(Path::new(&key));
        certificates
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn openssl(&self, arguments: &str) {
        let mut openssl = Command::new("openssl");
        openssl.args(arguments.split_whitespace());
        openssl.stdout(Stdio::null()).stderr(Stdio::null());
        let status = openssl.current_dir(self.0.path()).status().unwrap();
        assert!(status.success(), "openssl {arguments}");
    }
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn at(url: String) -> PostgresConfig {
    PostgresConfig {
        url: url.into(),
        pool_min: 1,
        connect_timeout: Duration::from_secs(10),
        ..PostgresConfig::default()
    }
}

#[tokio::test]
async fn postgresql_is_encrypted_and_verified_as_the_address_asks() {
    let certificates = Certificates::make();
    let mut server = PostgresServer::start_empty().await;
    server.crash();
    let port = free_port();
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", certificates.path("server.pem")),
        format!("ssl_key_file={}", certificates.path("server.key")),
        format!("ssl_ca_file={}", certificates.path("authority.pem")),
    ];
    let url = |host: &str, options: &str| {
        format!("postgresql://postgres:hidden@{host}:{port}/postgres?{options}")
    };
    server
        .resume_with(&settings, &at(url("127.0.0.1", "sslmode=disable")))
        .await;

    let (own, other) = (
        certificates.path("authority.pem"),
        certificates.path("other.pem"),
    );
    let client = format!(
        "sslcert={}&sslkey={}",
        certificates.path("client.pem"),
        certificates.path("client.key")
    );
    let state = "SELECT ssl, coalesce(client_dn, '') FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    for (host, options, is_encrypted, name) in [
        ("127.0.0.1", "sslmode=disable".to_owned(), false, ""),
        ("127.0.0.1", "connect_timeout=5".to_owned(), true, ""),
        ("127.0.0.1", "sslmode=require".to_owned(), true, ""),
        (
            "127.0.0.1",
            format!("sslmode=require&sslrootcert={own}"),
            true,
            "",
        ),
        (
            "127.0.0.1",
            format!("sslmode=verify-ca&sslrootcert={own}"),
            true,
            "",
        ),
        (
            "localhost",
            format!("sslmode=verify-full&sslrootcert={own}&{client}"),
            true,
            "/CN=client",
        ),
    ] {
        let postgres = Postgres::connect(&at(url(host, &options))).await;
        let postgres = postgres.unwrap_or_else(|error| panic!("{options}: {error}"));
        let alone = postgres.connect_alone().await.unwrap();
        let row = alone.query_one(state, &[]).await.unwrap();
        let of_pool = postgres.client().await.unwrap();
        let pooled = of_pool.query_one(state, &[]).await.unwrap();
        for row in [row, pooled] {
            assert_eq!(row.get::<_, bool>(0), is_encrypted, "{options}");
            assert_eq!(row.get::<_, String>(1), name, "{options}");
        }
    }
    for (host, options) in [
        (
            "127.0.0.1",
            format!("sslmode=verify-full&sslrootcert={own}"),
        ),
        (
            "localhost",
            format!("sslmode=verify-ca&sslrootcert={other}"),
        ),
        ("localhost", format!("sslmode=require&sslrootcert={other}")),
        ("localhost", "sslmode=verify-full".to_owned()),
    ] {
        let refused = Postgres::connect(&at(url(host, &options))).await;
        let error = refused.unwrap_err().to_string();
        let is_named = error.contains("certificate") || error.contains("authorities");
        assert!(is_named, "{options}: {error}");
        assert!(!error.contains("hidden"), "{error}");
    }
    // Over its socket nothing is encrypted, whatever is asked.
    let socket = format!(
        "host={} port={port} user=postgres sslmode=require",
        server.dir().display()
    );
    Postgres::connect(&at(socket)).await.unwrap();
}

#[test]
fn what_cannot_be_used_for_encryption_is_named_before_anything_starts() {
    for (options, named) in [
        ("sslmode=sometimes", "sslmode"),
        ("sslmode=verify-ca&sslrootcert=/nowhere.pem", "/nowhere.pem"),
        ("sslcert=/nowhere.pem", "sslkey"),
        ("sslcert=/nowhere.pem&sslkey=/nowhere.key", "/nowhere.pem"),
    ] {
        let url = format!("postgresql://u:hidden@h/db?{options}");
        let faults = at(url).validate();
        let is_named =
            |fault: &String| fault.starts_with("postgres.url: ") && fault.contains(named);
        assert!(faults.iter().any(is_named), "{faults:?}");
        assert!(!faults.concat().contains("hidden"), "{faults:?}");
    }
    let config = RedisConfig {
        url: Some("rediss://localhost".into()),
        tls_root: Some(PathBuf::from("/nowhere.pem")),
        ..RedisConfig::default()
    };
    let faults = config.validate().concat();
    assert!(
        faults.starts_with("redis.tls_root: /nowhere.pem"),
        "{faults}"
    );
}

#[tokio::test]
async fn redis_is_encrypted_and_verified() {
    let certificates = Certificates::make();
    let port = free_port();
    let _server = RedisServer::start_with(&[
        ("--tls-port", port.to_string()),
        ("--bind", "127.0.0.1".to_owned()),
        ("--tls-cert-file", certificates.path("server.pem")),
        ("--tls-key-file", certificates.path("server.key")),
        ("--tls-ca-cert-file", certificates.path("authority.pem")),
        ("--tls-auth-clients", "no".to_owned()),
    ])
    .await;
    let cache = |host: &str, root: Option<String>| {
        let config = RedisConfig {
            url: Some(format!("rediss://{host}:{port}").into()),
            tls_root: root.map(PathBuf::from),
            call_timeout: Duration::from_secs(5),
            ..RedisConfig::default()
        };
        Cache::new(&config).unwrap()
    };
    let own = || Some(certificates.path("authority.pem"));
    let good = cache("localhost", own());
    eventually("it answers", async || good.ping().await).await;
    for (host, root) in [
        ("localhost", Some(certificates.path("other.pem"))),
        ("localhost", None),
        ("127.0.0.1", own()),
    ] {
        assert!(!cache(host, root.clone()).ping().await, "{host} {root:?}");
    }
}
