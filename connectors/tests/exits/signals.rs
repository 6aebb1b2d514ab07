//! Samples of verdicts and distances.

use turnstile_connectors::exits::{ExitsConfig, Signals};

use crate::world::World;

const LEVELS: &str = "
    SELECT market.ensure_prices_partition('2026-11-24');
    INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source, last_price, bid,
        volume, session) VALUES
        ('2026-11-24', 1795482000000000, '005930', now(), now(), 'KIS_WS', 60000, NULL, 1, 'REGULAR'),
        ('2026-11-24', 1795482000000001, '005930', now(), now(), 'KIS_WS', 70300, 70000, 1, 'REGULAR'),
        ('2026-11-24', 1795482000000002, '005930', now(), now(), 'KIS_WS', 99000, NULL, 1, 'EXPECTED'),
        ('2026-11-24', 1795482000000003, '000660', now(), now(), 'KIS_WS', 66500, 0, 1, 'REGULAR');
    INSERT INTO trade.exit_levels (position_id, symbol, reason, rule_id, side, level, profile_id,
        profile_version, profile_level, hwm_price, since) VALUES
        ('11111111-1111-4111-8111-111111111111', '005930', 'SL1', NULL, 'BELOW', 67900, 'default', 1,
         'DEFAULT', 71000, now()),
        ('11111111-1111-4111-8111-111111111111', '005930', 'CUSTOM_PROFIT', 'lock-in', 'ABOVE', 72800,
         'default', 1, 'DEFAULT', 71000, now()),
        ('22222222-2222-4222-8222-222222222222', '000660', 'SL2', NULL, 'BELOW', 66500, 'default', 1,
         'DEFAULT', NULL, now())";

#[tokio::test]
async fn a_sample_has_every_rule_with_its_distance_nearest_first() {
    let world = World::start().await;
    world.sql(LEVELS).await;
    let signals = Signals::new(&world.postgres, &ExitsConfig::default());
    assert_eq!(signals.sample().await.unwrap(), 3);
    let rows = "SELECT string_agg(concat_ws(' ', rule_name, rule_id, side, level, price, distance,
            is_triggered, pnl_pct, hwm), ', ' ORDER BY distance) FROM trade.exit_signals
        WHERE evaluated_ts = (SELECT max(evaluated_ts) FROM trade.exit_signals)
          AND trade_date = (evaluated_ts AT TIME ZONE 'Asia/Seoul')::date";
    assert_eq!(
        world.value(rows).await,
        "SL2 BELOW 66500.0000 66500.0000 0.000000000000 t -5.000000, \
         SL1 BELOW 67900.0000 70000.0000 0.030000000000 f 0.000000 71000.0000, \
         CUSTOM_PROFIT lock-in ABOVE 72800.0000 70000.0000 0.040000000000 f 0.000000 71000.0000"
    );
    // Under a limit the nearest ones are kept, and a second sample is rows of its own.
    let few = ExitsConfig {
        signals_rows_max: 2,
        ..ExitsConfig::default()
    };
    let signals = Signals::new(&world.postgres, &few);
    assert_eq!(signals.sample().await.unwrap(), 2);
    let kept = "SELECT string_agg(rule_name, ' ' ORDER BY distance) FROM trade.exit_signals
        WHERE evaluated_ts = (SELECT max(evaluated_ts) FROM trade.exit_signals)";
    assert_eq!(world.value(kept).await, "SL2 SL1");
    let partitions =
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'trade.exit_signals'::regclass";
    assert_eq!(world.value(partitions).await, "2", "today and tomorrow");
}
