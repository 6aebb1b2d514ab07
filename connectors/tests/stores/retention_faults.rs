//! Archives and faults: what a kill leaves, who holds locks, and what was damaged.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;

use flate2::Compression;
use flate2::write::GzEncoder;
use turnstile_connectors::execution::wall_clock_us;
use turnstile_connectors::recorded::OnRead;
use turnstile_connectors::retention::{Archive, RetentionError, archives, verify};

use crate::old_days::{PRICES, World, sha256sum};
use crate::ticks::count;

const FILE: &str = "prices_20250106.csv.gz";
/// A price of 2025-01-06, a microsecond after the first one.
const LATE: &str =
    "INSERT INTO market.prices SELECT trade_date, logical_us + 1, symbol, ts, recv_ts,
        source, last_price, bid, ask, volume, acml_volume, trade_value, change_price, change_rate,
        bid_volume, ask_volume, session
    FROM market.prices WHERE trade_date = '2025-01-06' ORDER BY logical_us LIMIT 1";
/// A price of today.
const WRITE: &str = "INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source,
        last_price, volume, session)
    VALUES ((now() AT TIME ZONE 'Asia/Seoul')::date, $1, 'A', now(), now(), 'KIS_WS', 1, 1, 'REGULAR')";
const SIDECAR: &str = "prices_20250106.csv.gz.sha256";

async fn first_archive(world: &World) -> Archive {
    let all = archives(&world.client, Some("2025-01-06".parse().unwrap())).await;
    all.unwrap().remove(0)
}

async fn verified(world: &World) -> Result<(), RetentionError> {
    let silent: OnRead = Box::new(|_len| {});
    verify(world.folder.path(), &first_archive(world).await, silent).await
}

/// Opens a transaction that reads prices, and returns its connection.
async fn reader(world: &World) -> tokio_postgres::Client {
    let reader = world.server.client().await;
    reader
        .batch_execute("BEGIN; SELECT count(*) FROM market.prices")
        .await
        .unwrap();
    reader
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_before_the_detachment_is_finished_by_the_next() {
    let world = World::start().await;
    let before = world.digest("2025-01-06").await;
    // Whoever reads prices in a transaction holds the detachment up, and writers are not held up by it.
    let open = reader(&world).await;
    let writer = world.server.client().await;
    let today = "SET lock_timeout = '2s';
        SELECT market.ensure_prices_partition((now() AT TIME ZONE 'Asia/Seoul')::date)";
    writer.batch_execute(today).await.unwrap();
    let writes = async {
        for number in 0..200_i64 {
            let written = writer.execute(WRITE, &[&number]).await;
            assert_eq!(written.unwrap(), 1, "held up");
        }
    };
    let (looked, ()) = tokio::join!(world.look(), writes);
    assert_eq!(
        looked.busy,
        Some("2025-01-06".parse().unwrap()),
        "{looked:?}"
    );
    assert!(looked.archived.is_empty() && world.recorded().await.is_empty());
    assert_eq!(world.digest("2025-01-06").await, before);
    // The file is there and recorded nowhere, as after a kill; a kill before leaves less.
    let inode = fs::metadata(world.file(FILE)).unwrap().ino();
    fs::remove_file(world.file(SIDECAR)).unwrap();
    let draft = world.file(".prices_ab12.partial");
    fs::write(&draft, "half").unwrap();
    drop(open);
    crate::servers::eventually("the reader is gone", async || {
        let readers = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'";
        count(&world.client, readers).await == 0
    })
    .await;
    assert_eq!(world.look().await.archived.len(), 3);
    assert_eq!(
        fs::metadata(world.file(FILE)).unwrap().ino(),
        inode,
        "written again"
    );
    assert!(sha256sum(world.folder.path(), SIDECAR) && !draft.exists());
    assert!(verified(&world).await.is_ok());
    let rows = "SELECT count(*) FROM archive.prices_20250106";
    assert_eq!(count(&world.client, rows).await, PRICES);
    // Once more: there is nothing to do.
    assert!(world.look().await.archived.is_empty());
    assert_eq!(world.recorded().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_not_the_archive_is_left_as_it_is() {
    let world = World::start().await;
    fs::write(world.file(FILE), "somebody's").unwrap();
    let archived = world.look().await.archived;
    assert_eq!(archived.len(), 3);
    assert_eq!(archived[0].file, "prices_20250106_2.csv.gz");
    assert_eq!(fs::read(world.file(FILE)).unwrap(), b"somebody's");
    assert!(verified(&world).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_price_that_is_being_written_is_waited_for() {
    let world = World::start().await;
    let late = world.server.client().await;
    late.batch_execute("BEGIN").await.unwrap();
    late.batch_execute(LATE).await.unwrap();
    // The copy cannot see it; the lock does.
    let looked = world.look().await;
    assert!(
        looked.busy.is_some() && looked.archived.is_empty(),
        "{looked:?}"
    );
    late.batch_execute("COMMIT").await.unwrap();
    let archived = world.look().await.archived;
    assert_eq!(archived[0].rows(), PRICES + 1);
    let rows = "SELECT count(*) FROM archive.prices_20250106";
    assert_eq!(count(&world.client, rows).await, PRICES + 1);
    assert!(verified(&world).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_that_comes_after_the_copy_keeps_its_day_attached_until_it_is_archived_too() {
    let world = World::start().await;
    let late = world.server.client().await;
    late.batch_execute("BEGIN; LOCK TABLE ONLY market.prices_20250106 IN ROW EXCLUSIVE MODE")
        .await
        .unwrap();
    let comes = async {
        crate::servers::eventually("the copy is made", async || world.file(SIDECAR).exists()).await;
        late.batch_execute(LATE).await.unwrap();
        late.batch_execute("COMMIT").await.unwrap();
    };
    let (looked, ()) = tokio::join!(world.look(), comes);
    let archived = |archive: &&Archive| archive.day.to_string() == "2025-01-06";
    assert!(
        !looked.archived.iter().any(|archive| archived(&archive)),
        "{looked:?}"
    );
    let rows = "SELECT count(*) FROM market.prices WHERE trade_date = '2025-01-06'";
    assert_eq!(count(&world.client, rows).await, PRICES + 1);
    let looked = world.look().await;
    let archive = looked.archived.iter().find(archived).unwrap();
    assert_eq!(archive.rows(), PRICES + 1);
    assert!(verified(&world).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_archive_is_refused_and_says_where() {
    let world = World::start().await;
    world.look().await;
    let (path, whole) = (world.file(FILE), fs::read(world.file(FILE)).unwrap());
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    let mut lines = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&whole[..]), &mut lines)
        .unwrap();
    let edited = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let (at, _) = lines.match_indices('\n').nth(9).unwrap();
        let text = format!("{}\n2025-01-06,{}", &lines[..at], &lines[at + 1..]);
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let longer = [&whole[..], &[0; 16]].concat();
    for (damaged, told) in [
        (&flipped[..], "line "),
        (
            &whole[..middle],
            "the compressed data ends or breaks after line ",
        ),
        (&edited[..], "line 11: 17 fields expected, was 18"),
        (&longer[..], "are not those that were written"),
        (&[][..], "the compressed data ends or breaks after line 0"),
    ] {
        fs::write(&path, damaged).unwrap();
        for error in [
            verified(&world).await.unwrap_err().to_string(),
            world.restore("2025-01-06").await.unwrap_err().to_string(),
        ] {
            assert!(
                error.contains(FILE) && error.contains("SHA-256 "),
                "{error}"
            );
            assert!(error.contains(told), "{told}: {error}");
        }
        assert_eq!(world.digest("2025-01-06").await, "0 ");
    }
    fs::remove_file(&path).unwrap();
    let gone = world.restore("2025-01-06").await.unwrap_err();
    assert!(gone.to_string().contains(FILE), "{gone}");
    fs::write(&path, whole).unwrap();
    assert_eq!(world.restore("2025-01-06").await.unwrap().added, PRICES);
}

/// The way out of the runbook: the detached table is archived anew, which stands for the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_with_a_bad_archive_is_put_back_from_a_later_one() {
    let world = World::start().await;
    let before = world.digest("2025-01-06").await;
    world.look().await;
    fs::write(world.file(FILE), "damaged").unwrap();
    world
        .run(
            "SELECT market.ensure_prices_partition('2025-01-06');
             INSERT INTO market.prices TABLE archive.prices_20250106",
        )
        .await;
    let looked = world.look().await;
    assert!(looked.is_whole, "{looked:?}");
    assert_eq!(looked.archived[0].file, "prices_20250106_2.csv.gz");
    let all = archives(&world.client, Some("2025-01-06".parse().unwrap())).await;
    let all = all.unwrap();
    assert!(all[1].has_prices_of(&all[0]), "{all:?}");
    let restored = world.restore("2025-01-06").await.unwrap();
    assert_eq!((restored.rows, restored.added), (PRICES, PRICES));
    assert_eq!(world.digest("2025-01-06").await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_price_in_the_place_of_one_is_told_and_nothing_is_put_back() {
    let world = World::start().await;
    world.look().await;
    world
        .run(
            "SELECT market.ensure_prices_partition('2025-01-06');
             INSERT INTO market.prices SELECT trade_date, logical_us, symbol, ts, recv_ts, source, 1, bid,
                 ask, volume, acml_volume, trade_value, change_price, change_rate, bid_volume, ask_volume,
                 session
             FROM archive.prices_20250106 ORDER BY logical_us LIMIT 1",
        )
        .await;
    let error = world.restore("2025-01-06").await.unwrap_err();
    assert!(matches!(error, RetentionError::Differs { .. }), "{error}");
    assert!(world.digest("2025-01-06").await.starts_with("1 "));
    let restores = "SELECT count(*) FROM system.archive_restores";
    assert_eq!(count(&world.client, restores).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_is_gone_leaves_every_day_attached() {
    let world = World::start().await;
    let retention = world.retention(false);
    fs::remove_dir(world.folder.path()).unwrap();
    for _ in 0..2 {
        let error = retention.look(wall_clock_us(), &|| true).await.unwrap_err();
        assert!(matches!(error, RetentionError::File { .. }), "{error}");
    }
    let attached = "SELECT count(*) FROM market.prices";
    assert_eq!(count(&world.client, attached).await, 3 * PRICES);
    fs::create_dir(world.folder.path()).unwrap();
    assert_eq!(world.look().await.archived.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_would_break_a_line_keeps_its_day_attached() {
    let world = World::start().await;
    world
        .run(
            "INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source, last_price,
                 volume, session)
             SELECT '2025-01-06', 1, E'A\\nB', now(), now(), 'KIS_WS', 1, 1, 'REGULAR'",
        )
        .await;
    let looked = world.retention(false).look(wall_clock_us(), &|| true).await;
    let error = looked.unwrap_err().to_string();
    let told = "prices of 2025-01-06 cannot be archived: line 2: a quoted field does not end";
    assert_eq!(error, told);
    assert!(world.recorded().await.is_empty());
    assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_do_not_archive_at_once() {
    let world = World::start().await;
    let (first, second) = (world.retention(false), world.retention(false));
    let (first, second) = tokio::join!(
        first.look(wall_clock_us(), &|| true),
        second.look(wall_clock_us(), &|| true)
    );
    let archived =
        |looked: Result<turnstile_connectors::retention::Looked, RetentionError>| match looked {
            Ok(looked) => looked.archived.len(),
            Err(error) => {
                assert!(error.is_locked(), "{error}");
                0
            }
        };
    assert_eq!(archived(first) + archived(second), 3);
    assert_eq!(world.recorded().await.len(), 3);
}
