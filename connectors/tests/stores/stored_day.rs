//! The replay of a stored day: pages across midnight, what stands on one side alone, what is proven.

use jiff::civil::{Date, date};
use serde_json::json;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use turnstile_connectors::postgres::Postgres;
use turnstile_connectors::recorded::RecordedError;
use turnstile_connectors::stored_day::{
    EngineRun, Kind, Made, Pace, Replayed, StoredDayError, Watch, record, replay,
};

use crate::servers::PostgresServer;
use crate::ticks::{START_US, count};

/// Ticks of the run, one a microsecond; midnight in Seoul is the ten thousandth, and a page has as many.
const TICKS: u64 = 25_000;
/// The one that falls through the stop.
const FALL: u64 = 15_000;
const BEFORE: Date = date(2026, 11, 24);
const DAY: Date = date(2026, 11, 25);
const POSITION: &str = "7b0c1c9e-6f0f-4a39-8f0e-0a53c2f3f001";

struct World {
    _server: PostgresServer,
    client: Client,
    postgres: Postgres,
    run: EngineRun,
}

/// Hears decisions, as `--out` does.
#[derive(Default)]
struct Heard(Vec<Made>);

impl Watch for Heard {
    fn decided(&mut self, made: &Made) -> Result<(), RecordedError> {
        self.0.push(made.clone());
        Ok(())
    }
}

fn micros(us: u64) -> i64 {
    i64::try_from(us).unwrap()
}

impl World {
    /// A run that loads one position under a stop at 5 %, three seconds before midnight, and proves all of
    /// its ticks.
    async fn start() -> Self {
        let server = PostgresServer::start().await;
        let (client, postgres) = (server.client().await, server.connect().await);
        let begun_us = START_US - 3_000_000;
        let run = EngineRun::begin(&postgres, "a", begun_us).await.unwrap();
        let rule = json!({"rule_id": "default", "scope": "DEFAULT", "version": 3, "is_active": true,
            "rules": {"sl2": {"pnl": -0.05}}});
        let position = json!({"position_id": POSITION, "symbol": "005930", "qty": 10,
            "original_qty": 10, "avg_price": 100_000, "entry_ts": "2026-11-24T00:00:00Z",
            "status": "OPEN", "exit_mode": "ENABLED", "exit_profile_id": null,
            "strategy_id": "MANUAL", "cycle": 1, "version": 1});
        let state = json!({"position_id": POSITION, "phase": "OPEN", "stop_floor": null,
            "hwm_price": null, "hwm_us": null});
        let of = |table: &str, row| json!({"table": table, "row": row});
        let entries = [
            json!([
                of("trade.exit_control", json!({"id": 1, "mode": "RUNNING"})),
                of("trade.exit_rules", rule)
            ]),
            json!([
                of("trade.positions", position),
                of("trade.position_state", state)
            ]),
        ];
        for (us, payload) in (begun_us + 1..).zip(entries) {
            let entry = "INSERT INTO system.engine_events (logical_us, seq, kind, payload)
                VALUES ($1, 0, 'load', $2)";
            client
                .execute(entry, &[&micros(us), &payload])
                .await
                .unwrap();
        }
        client
            .batch_execute(
                "SELECT market.ensure_prices_partition(day::date) FROM
                generate_series('2026-11-24'::date, '2026-11-25', interval '1 day') day",
            )
            .await
            .unwrap();
        let ticks =
            "INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source,
                last_price, volume, session)
            SELECT (at AT TIME ZONE 'Asia/Seoul')::date, $1 + n, '005930', at, at, 'KIS_WS',
                CASE WHEN n = $3 THEN 94000 ELSE 100000 + n % 7 END, 1,
                CASE WHEN n = 14000 THEN 'EXPECTED' ELSE 'REGULAR' END
            FROM (SELECT n, timestamptz 'epoch' + ($1 + n) * interval '1 microsecond' AS at
                FROM generate_series(1::bigint, $2) n) ticks";
        let values = [START_US, TICKS, FALL].map(micros);
        client
            .execute(ticks, &[&values[0], &values[1], &values[2]])
            .await
            .unwrap();
        run.prove(START_US + TICKS).await.unwrap();
        Self {
            _server: server,
            client,
            postgres,
            run,
        }
    }

    async fn replay(&self, day: Date) -> (Replayed, Vec<Made>) {
        let (mut heard, stop) = (Heard::default(), CancellationToken::new());
        let how = (1, Pace::Half);
        let replayed = replay(&self.postgres, day, how, &mut heard, &stop).await;
        (replayed.unwrap(), heard.0)
    }

    async fn refused(&self, day: Date) -> StoredDayError {
        let stop = CancellationToken::new();
        let how = (1, Pace::Full);
        let replayed = replay(&self.postgres, day, how, &mut Heard::default(), &stop).await;
        replayed.unwrap_err()
    }

    /// Stores a decision as the order sink does.
    async fn store(&self, made: &Made) {
        let Made::Exit(decision) = made else {
            panic!("{made:?}")
        };
        let explanation = serde_json::to_value(&decision.explanation).unwrap();
        let base =
            "INSERT INTO market.stocks (symbol, name, market) VALUES ('005930', 's', 'KOSPI')";
        self.client.execute(base, &[]).await.unwrap();
        let base =
            "INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty,
                avg_price, entry_ts)
            VALUES ($1::text::uuid, 'a', '005930', 10, 10, 100000, now())";
        self.client.execute(base, &[&POSITION]).await.unwrap();
        let order = "INSERT INTO trade.orders (order_id, action_key, account_id, position_id, symbol,
                side, intent_type, qty, order_type, reason_code, phase, cycle, price, level, decided_us,
                tick_us, explanation)
            VALUES (gen_random_uuid(), $1, 'a', $2::text::uuid, '005930', 'SELL', 'EXIT_FULL', $3, 'MKT',
                $4, 'OPEN', 1, $5, $6, $7, $7, $8)";
        self.client
            .execute(
                order,
                &[
                    &decision.action_key.as_str(),
                    &POSITION,
                    &decision.qty.shares(),
                    &decision.reason.code(),
                    &decision.price.to_decimal(),
                    &decision.level.to_decimal(),
                    &micros(decision.time.micros()),
                    &explanation,
                ],
            )
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_is_played_from_the_load_before_it_and_compared_whole() {
    let world = World::start().await;
    let (before, made) = world.replay(BEFORE).await;
    assert_eq!((before.ticks, before.events, made.len()), (9_999, 2, 0));
    assert_eq!((before.decisions, before.differences), (0, 0));

    // Nothing is stored of what is decided.
    let (extra, made) = world.replay(DAY).await;
    assert_eq!(extra.ticks, TICKS - 1, "all but the one that is no trade");
    assert_eq!((made.len(), extra.decisions, extra.differences), (1, 1, 1));
    assert_eq!(made[0].time().micros(), START_US + FALL);
    assert_eq!(extra.kept[0].kind, Kind::Extra);
    assert_eq!(extra.kept[0].position, POSITION);

    // All of it is stored.
    world.store(&made[0]).await;
    let (equal, _made) = world.replay(DAY).await;
    assert_eq!(
        (equal.decisions, equal.differences),
        (1, 0),
        "{:?}",
        equal.kept
    );

    // The record has all of it, with the differences.
    for replayed in [&extra, &equal] {
        record(&world.postgres, replayed).await.unwrap();
    }
    let rows = "SELECT count(*) FROM system.replay_runs r LEFT JOIN system.replay_differences d
        USING (replay_id) WHERE r.day = '2026-11-25' AND r.ticks = 24999
            AND (r.differences = 1) = (d.kind IS NOT DISTINCT FROM 'EXTRA')";
    assert_eq!(count(&world.client, rows).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_a_run_has_proven_is_held_against_it() {
    let world = World::start().await;
    let (_extra, made) = world.replay(DAY).await;
    world.store(&made[0]).await;
    // As a process leaves it that died before it had proven the decision.
    let unproven = "UPDATE system.engine_runs SET through_us = $1";
    world
        .client
        .execute(unproven, &[&micros(START_US + FALL - 1)])
        .await
        .unwrap();
    let (replayed, made) = world.replay(DAY).await;
    assert_eq!(
        (made.len(), replayed.unproven, replayed.differences),
        (0, 1, 0)
    );
    // Its proof moves forward only.
    world.run.prove(START_US).await.unwrap();
    let (replayed, _made) = world.replay(DAY).await;
    assert_eq!(replayed.unproven, 1);
    world.run.end(START_US + FALL).await.unwrap();
    let (replayed, _made) = world.replay(DAY).await;
    assert_eq!(
        (replayed.decisions, replayed.unproven, replayed.differences),
        (1, 0, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_cannot_be_played_says_why() {
    let world = World::start().await;
    let refused = world.refused(date(2026, 11, 26)).await;
    assert!(matches!(refused, StoredDayError::NotRecorded(day) if day == date(2026, 11, 26)));
    // The day before is archived, and the run began on it.
    let archive = "INSERT INTO system.archives (day, part, table_name, file, columns, rows, first_us,
            last_us, file_bytes, file_sha256, content_sha256)
        VALUES ('2026-11-24', 1, 't', 'f.csv.gz', '{}', 1, 1, 1, 1, repeat('0', 64), repeat('0', 64))";
    world.client.execute(archive, &[]).await.unwrap();
    let refused = world.refused(DAY).await.to_string();
    let expected =
        "prices of 2026-11-24 are archived in f.csv.gz: `turnstile archive restore 2026-11-24`";
    assert!(refused.starts_with(expected), "{refused}");
    let restore = "INSERT INTO system.archive_restores (day, rows_added, kept_until)
        VALUES ('2026-11-24', 1, '2027-01-01')";
    world.client.execute(restore, &[]).await.unwrap();
    let (replayed, _made) = world.replay(DAY).await;
    assert_eq!(replayed.differences, 1);
    // What no engine has written is named with its place.
    let entry = "INSERT INTO system.engine_events (logical_us, seq, kind, payload)
        VALUES ($1, 0, 'changes', '{}')";
    world
        .client
        .execute(entry, &[&micros(START_US + TICKS)])
        .await
        .unwrap();
    let refused = world.refused(DAY).await.to_string();
    let place = format!(
        "system.engine_events at logical time {}: ",
        START_US + TICKS
    );
    assert_eq!(refused, format!("{place}a list of rows expected"));
}
