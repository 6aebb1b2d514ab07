-- Two days of a strategy: the portfolio of the first is in force, that of the second a draft.
INSERT INTO market.stocks (symbol, name, market) VALUES
    ('005930', '삼성전자', 'KOSPI'), ('000660', 'SK하이닉스', 'KOSPI'), ('035720', '카카오', 'KOSPI'),
    ('069500', 'KODEX 200', 'KOSPI')
ON CONFLICT (symbol) DO NOTHING;
INSERT INTO strategy.runs (run_id, strategy_id, as_of, trigger, asked_by, state, stage, reason, input_digest,
    durations, counts, created_ts, ended_ts) VALUES
    ('aaaaaaa1-0000-4000-8000-000000000001', 'daily', '2026-02-19', 'SCHEDULE', 'scheduler', 'DONE', 'STORE',
     NULL, 'a1', '{"LOAD": 12}', '{"names": 2}', '2026-02-19 16:30:00+09', '2026-02-19 16:30:04+09'),
    ('aaaaaaa1-0000-4000-8000-000000000002', 'daily', '2026-02-20', 'CLI', 'kim', 'DONE', 'STORE',
     NULL, 'a2', '{"LOAD": 13}', '{"names": 2}', '2026-02-20 16:30:00+09', '2026-02-20 16:30:04+09'),
    ('aaaaaaa1-0000-4000-8000-000000000003', 'daily', '2026-02-23', 'API', 'kim', 'REFUSED', 'PORTFOLIO',
     'the universe is not published', 'a3', '{}', '{}', '2026-02-23 16:30:00+09', '2026-02-23 16:30:04+09');
INSERT INTO strategy.universe_snapshots (snapshot_id, run_id, strategy_id, as_of, filter_stats, created_ts)
SELECT ('aaaaaaa2-0000-4000-8000-00000000000' || n)::uuid, ('aaaaaaa1-0000-4000-8000-00000000000' || n)::uuid,
    'daily', '2026-02-18'::date + n, '{"passed": 3}', '2026-02-20 16:31:00+09' FROM generate_series(1, 2) n;
INSERT INTO strategy.universe_daily VALUES
    ('aaaaaaa2-0000-4000-8000-000000000002', '2026-02-20', '005930', 'HOLDING', NULL, NULL, 'KOSPI', '반도체',
     400000000000000, 12000000, 900000000000),
    ('aaaaaaa2-0000-4000-8000-000000000002', '2026-02-20', '000660', 'RANKING', 'VALUE', NULL, 'KOSPI', NULL,
     NULL, NULL, NULL),
    ('aaaaaaa2-0000-4000-8000-000000000002', '2026-02-20', '069500', NULL, NULL, 'INSTRUMENT', 'KOSPI', NULL,
     NULL, NULL, NULL);
INSERT INTO strategy.signal_snapshots (snapshot_id, universe_snapshot_id, strategy_id, as_of, created_ts)
SELECT ('aaaaaaa3-0000-4000-8000-00000000000' || n)::uuid, ('aaaaaaa2-0000-4000-8000-00000000000' || n)::uuid,
    'daily', '2026-02-18'::date + n, '2026-02-20 16:31:00+09' FROM generate_series(1, 2) n;
INSERT INTO strategy.factor_scores VALUES
    ('aaaaaaa3-0000-4000-8000-000000000002', '005930', 0.1234567891, -0.5, 1, NULL, 0.25, NULL,
     0.6, 80, 72.5000000001),
    ('aaaaaaa3-0000-4000-8000-000000000002', '000660', -0.9, -0.5, -1, NULL, -0.25, NULL, -0.6, 20, 60),
    ('aaaaaaa3-0000-4000-8000-000000000002', '035720', 0.5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO strategy.signals SELECT snapshot_id, CASE symbol WHEN '005930' THEN 'BUY' ELSE 'SELL' END, 1, symbol,
    strength, conviction, total_score, momentum, technical, value, quality, flow, event
FROM strategy.factor_scores WHERE strength IS NOT NULL;
INSERT INTO strategy.ranking_snapshots (snapshot_id, signal_snapshot_id, strategy_id, as_of, created_ts)
SELECT ('aaaaaaa4-0000-4000-8000-00000000000' || n)::uuid, ('aaaaaaa3-0000-4000-8000-00000000000' || n)::uuid,
    'daily', '2026-02-18'::date + n, '2026-02-20 16:31:00+09' FROM generate_series(1, 2) n;
INSERT INTO strategy.rankings VALUES
    ('aaaaaaa4-0000-4000-8000-000000000002', 1, '005930', 'KOSPI', '반도체', 77.5, 82.5, 80, 30, 25.1234567891,
     900000000000, 5, 0, true, NULL),
    ('aaaaaaa4-0000-4000-8000-000000000002', 2, '035720', 'KOSPI', NULL, 61, 61, 70, 60, NULL, NULL, 0, 0,
     false, 'VOLATILITY');
INSERT INTO strategy.portfolios (portfolio_id, strategy_id, ranking_snapshot_id, as_of, holdings, total_weight,
    status, activated_by, activated_ts, created_ts) VALUES
    ('aaaaaaa5-0000-4000-8000-000000000001', 'daily', 'aaaaaaa4-0000-4000-8000-000000000001', '2026-02-19',
     '[{"rank": 1, "symbol": "005930", "sector": "반도체", "weight": 150000},
       {"rank": 2, "symbol": "000660", "sector": null, "weight": 53333}]', 203333,
     'ACTIVE', 'scheduler', '2026-02-19 16:31:00+09', '2026-02-19 16:31:00+09'),
    ('aaaaaaa5-0000-4000-8000-000000000002', 'daily', 'aaaaaaa4-0000-4000-8000-000000000002', '2026-02-20',
     '[{"rank": 1, "symbol": "005930", "sector": "반도체", "weight": 53333},
       {"rank": 2, "symbol": "035720", "sector": null, "weight": 53333}]', 106666,
     'DRAFT', NULL, NULL, '2026-02-20 16:31:00+09');
