//! How far imports got.

use std::path::Path;

use tokio_postgres::Client;
use turnstile_connectors::imports::{Begun, Import, ImportRow};
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::recorded::SectorRow;

use crate::servers::PostgresServer;

async fn begin(postgres: &Postgres, file: &Path, again: bool) -> (Import, Begun) {
    let begun = Import::begin(postgres, SectorRow::KIND, file, again);
    begun.await.unwrap()
}

/// What the table says of the one file: rows that are stored, and whether it is all.
async fn noted(client: &Client) -> (i64, bool) {
    let row = client.query_one("SELECT rows_done, is_done FROM system.imports", &[]);
    let row = row.await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_read_again_that_breaks_off_is_under_way_and_goes_on_there() {
    let server = PostgresServer::start().await;
    let (postgres, client) = (server.connect().await, server.client().await);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "symbol,sector\nA1,x\nA2,x\nA3,x\n").unwrap();
    let rows: Vec<SectorRow> = ["A1", "A2", "A3"]
        .map(|symbol| SectorRow {
            symbol: symbol.parse().unwrap(),
            sector: "x".to_owned(),
            industry: None,
        })
        .into();
    let at = |rows_done, is_done| Begun { rows_done, is_done };

    // One that has not ended goes on, also where it is asked for again.
    let (mut import, begun) = begin(&postgres, file.path(), false).await;
    assert_eq!(begun, at(0, false));
    import.store(&rows[..2], 2).await.unwrap();
    drop(import);
    let (mut import, begun) = begin(&postgres, file.path(), true).await;
    assert_eq!((begun, noted(&client).await), (at(2, false), (2, false)));
    import.store(&rows[2..], 3).await.unwrap();
    import.end().await.unwrap();
    assert_eq!(noted(&client).await, (3, true));
    let (_import, begun) = begin(&postgres, file.path(), false).await;
    assert_eq!((begun, noted(&client).await), (at(3, true), (3, true)));

    // Read again it is under way at once, before any of its rows is.
    let (import, begun) = begin(&postgres, file.path(), true).await;
    assert_eq!((begun, noted(&client).await), (at(0, false), (0, false)));
    drop(import);
    let (mut import, begun) = begin(&postgres, file.path(), false).await;
    assert_eq!(begun, at(0, false));
    import.store(&rows[..1], 1).await.unwrap();
    drop(import);
    assert_eq!(noted(&client).await, (1, false));
    let (mut import, begun) = begin(&postgres, file.path(), false).await;
    assert_eq!(begun, at(1, false));
    import.store(&rows[1..], 3).await.unwrap();
    import.end().await.unwrap();
    assert_eq!(noted(&client).await, (3, true));
}
