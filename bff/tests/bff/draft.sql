-- A draft that may be put in force, beside those of strategy.sql: five names, of a later day.
INSERT INTO strategy.runs (run_id, strategy_id, as_of, trigger, asked_by, state, stage, input_digest, ended_ts)
VALUES ('aaaaaaa1-0000-4000-8000-000000000004', 'daily', '2026-02-24', 'CLI', 'kim', 'DONE', 'STORE', 'a4', now());
INSERT INTO strategy.universe_snapshots (snapshot_id, run_id, strategy_id, as_of, filter_stats)
VALUES ('aaaaaaa2-0000-4000-8000-000000000004', 'aaaaaaa1-0000-4000-8000-000000000004', 'daily', '2026-02-24', '{}');
INSERT INTO strategy.signal_snapshots (snapshot_id, universe_snapshot_id, strategy_id, as_of)
VALUES ('aaaaaaa3-0000-4000-8000-000000000004', 'aaaaaaa2-0000-4000-8000-000000000004', 'daily', '2026-02-24');
INSERT INTO strategy.ranking_snapshots (snapshot_id, signal_snapshot_id, strategy_id, as_of)
VALUES ('aaaaaaa4-0000-4000-8000-000000000004', 'aaaaaaa3-0000-4000-8000-000000000004', 'daily', '2026-02-24');
INSERT INTO strategy.rankings (snapshot_id, rank, symbol, market, total_score, score, strength, risk_score,
    sector_loss, market_loss, selected)
SELECT 'aaaaaaa4-0000-4000-8000-000000000004', n, 'DRAFT' || n, 'KOSPI', 70, 70, 70, 30, 0, 0, true
FROM generate_series(1, 5) n;
INSERT INTO strategy.portfolios (portfolio_id, strategy_id, ranking_snapshot_id, as_of, holdings, total_weight)
SELECT 'aaaaaaa5-0000-4000-8000-000000000004', 'daily', 'aaaaaaa4-0000-4000-8000-000000000004', '2026-02-24',
    jsonb_agg(jsonb_build_object('rank', n, 'symbol', 'DRAFT' || n, 'sector', NULL, 'weight', 150000)), 750000
FROM generate_series(1, 5) n;
