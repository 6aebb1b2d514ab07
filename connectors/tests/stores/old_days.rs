//! Old days of prices, and a folder for their archives.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio_postgres::Client;
use turnstile_connectors::execution::wall_clock_us;
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::recorded::OnRead;
use turnstile_connectors::retention::{
    Archive, Looked, Restored, Retention, RetentionConfig, RetentionError, archives, restore,
};

use crate::servers::PostgresServer;

/// 2025-01-06 09:00 in Seoul, and the length of a day.
pub(crate) const MONDAY_US: u64 = 1_736_121_600_000_000;
pub(crate) const DAY_US: u64 = 86_400_000_000;
pub(crate) const PRICES: i64 = 2_000;

/// A database with prices of 2025-01-06, 07 and 08, and a folder for archives.
pub(crate) struct World {
    pub(crate) server: PostgresServer,
    pub(crate) client: Client,
    pub(crate) postgres: Postgres,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        let server = PostgresServer::start().await;
        let client = server.client().await;
        for day in ["2025-01-06", "2025-01-07", "2025-01-08"] {
            prices_of(&client, day).await;
        }
        let postgres = server.connect().await;
        Self {
            server,
            client,
            postgres,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn retention(&self, has_bars: bool) -> Retention {
        let config = RetentionConfig {
            days: 7,
            folder: Some(self.folder.path().to_owned()),
            look: Duration::from_secs(1),
        };
        Retention::new(self.postgres.clone(), &config, has_bars)
    }

    pub(crate) async fn look(&self) -> Looked {
        let looked = self.retention(false).look(wall_clock_us(), &|| true).await;
        looked.unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) async fn restore(&self, day: &str) -> Result<Restored, RetentionError> {
        let (folder, day) = (self.folder.path(), day.parse().unwrap());
        let silent = |_archive: &Archive| -> OnRead { Box::new(|_len| {}) };
        restore(&self.postgres, folder, day, 30, silent).await
    }

    /// Digest of what `market.prices` has of a day, column by column.
    pub(crate) async fn digest(&self, day: &str) -> String {
        digest(
            &self.client,
            &format!("market.prices WHERE trade_date = '{day}'"),
        )
        .await
    }

    /// Digest of an archive that psql, not Turnstile, has copied into a table of its own.
    pub(crate) async fn copied_by_psql(&self, file: &str) -> String {
        self.run("CREATE TABLE public.copied (LIKE market.prices)")
            .await;
        let (file, server) = (self.file(file), self.server.dir());
        let copy = format!(
            "zcat {} | psql -q -h {} -U postgres -c '\\copy copied from stdin with (format csv, header)'",
            file.display(),
            server.display()
        );
        let copied = Command::new("sh").args(["-c", &copy]).status().unwrap();
        assert!(copied.success(), "{copy}");
        digest(&self.client, "public.copied").await
    }

    pub(crate) async fn recorded(&self) -> Vec<String> {
        let all = archives(&self.client, None).await.unwrap();
        let told = |archive: Archive| format!("{} {}", archive.table, archive.file);
        all.into_iter().map(told).collect()
    }

    pub(crate) async fn run(&self, sql: &str) {
        let done = self.client.batch_execute(sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {:?}", error.as_db_error()));
    }
}

pub(crate) async fn digest(client: &Client, of: &str) -> String {
    let query = format!(
        "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t.logical_us)), '')
         FROM (SELECT * FROM {of}) t"
    );
    client.query_one(&query, &[]).await.unwrap().get(0)
}

/// Stores prices with every column filled in some rows and empty in others.
async fn prices_of(client: &Client, day: &str) {
    let sql = format!(
        "SELECT market.ensure_prices_partition('{day}');
         INSERT INTO market.prices
         SELECT '{day}', us, lpad((n % 7)::text, 6, '0'), date_trunc('second', at), at, 'KIS_WS',
             10000 + n / 16.0, CASE WHEN n % 2 = 0 THEN 9999.9375 + n END, CASE WHEN n % 3 = 0 THEN n END,
             n, CASE WHEN n % 5 > 0 THEN n * 10 END, CASE WHEN n % 2 > 0 THEN n * 1.5 END,
             -n / 4.0, -1.25, CASE WHEN n % 4 = 0 THEN 7 END, n % 9,
             CASE n % 11 WHEN 0 THEN 'EXPECTED' WHEN 1 THEN '' WHEN 2 THEN 'a,\"b\"' ELSE 'REGULAR' END
         FROM generate_series(1, {PRICES}) n, LATERAL (SELECT
             timestamptz '{day} 09:00+09' + n * interval '1.000001 second' AS at) t,
             LATERAL (SELECT (extract(epoch FROM at) * 1000000)::bigint AS us) u"
    );
    client.batch_execute(&sql).await.unwrap();
}

/// Returns whether `sha256sum` finds the file as the one beside it says.
pub(crate) fn sha256sum(folder: &Path, sidecar: &str) -> bool {
    let mut command = Command::new("sha256sum");
    command
        .args(["--check", "--strict", sidecar])
        .current_dir(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().success()
}
