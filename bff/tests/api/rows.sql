-- With strategy.sql and a demonstration: a row for each list of the API.
INSERT INTO trade.pick_runs (producer_id, run_id, asof_ts, sent_by, body_digest)
VALUES (3002, 'rows-1', '2026-02-20 10:00:00+09', 'producer', repeat('0', 64));
INSERT INTO trade.picks (pick_run_id, symbol, side, score, confidence, rank, reasons)
SELECT id, '005930', 'LONG', 0.7, 'HIGH', 1, ARRAY['공시'] FROM trade.pick_runs WHERE run_id = 'rows-1';
INSERT INTO trade.pick_decisions (account_id, day, symbol, decision, gate, reason, mode, score, confidence,
    producers, action_key, qty, limit_price, equity, request_id)
VALUES ('50123456-01', '2026-02-20', '000660', 'REFUSED', 'DUPLICATE', 'it is held', 'WEIGHTED', 0.6, 'HIGH',
    '[{"producer_id": 3002, "run_id": "rows-1", "score": 0.6}]', 'ENTRY:20260220:000660:3002:rows-1', NULL,
    NULL, 100000000, NULL);
WITH judged AS (
    INSERT INTO system.risk_checks (judged_us, action_key, symbol, intent_type, qty, price, is_approved, results)
    VALUES (1, 'MANUAL:rows-1', '005930', 'ENTRY', 10, 70000, false, '[{"check": "EMERGENCY_STOP", "passed": true}]')
    RETURNING id)
INSERT INTO system.risk_violations (check_id, action_key, symbol, intent_type, check_type, current_value,
    limit_value, message)
SELECT id, 'MANUAL:rows-1', '005930', 'ENTRY', 'SINGLE_WEIGHT', 15000001, 15000000, 'too heavy' FROM judged;
INSERT INTO trade.reentry_windows (window_id, from_time, until_time, is_active, reason, updated_by)
VALUES ('rows', '12:00', '12:30', false, 'lunch', 'rows') ON CONFLICT DO NOTHING;
INSERT INTO trade.reentry_blacklist (symbol, reason, created_by)
VALUES ('069500', 'no stock', 'rows') ON CONFLICT DO NOTHING;
INSERT INTO system.logs (level, module, event, symbol, message, context)
VALUES ('INFO', 'rows', 'ROWS', '005930', 'a row for each list', '{}');
INSERT INTO strategy.watchlist (symbol, category, memo, target_price, alert_enabled, alert_price, alert_condition)
VALUES ('035720', 'candidate', '신규', 60000, true, 50000.5, 'BELOW') ON CONFLICT DO NOTHING;
INSERT INTO trade.equity_days (account_id, day, equity, asof_ts)
SELECT '50123456-01', (now() AT TIME ZONE 'Asia/Seoul')::date - age, 100000000 - age * 1000, now() - interval '1 day'
FROM generate_series(1, 30) age ON CONFLICT DO NOTHING;
INSERT INTO trade.cash_flows (flow_id, account_id, day, amount, note, asked_by)
VALUES ('aaaaaaa6-0000-4000-8000-000000000001', '50123456-01', '2026-02-20', 1000000, '입금', 'rows')
ON CONFLICT DO NOTHING;
INSERT INTO system.alarms (id, key, name, level, instance, message, value, threshold, raised_ts, last_ts)
VALUES ('aaaaaaa7-0000-4000-8000-000000000001', 'rows', 'price_lag', 'WARNING', 'rows', 'prices are late', 31.5, 30,
    now(), now())
ON CONFLICT DO NOTHING;
INSERT INTO system.invariant_violations (kind, key, symbol, detail, since)
VALUES ('CACHE', 'price:rows', '005930', 'version 2 is cached, and 1 is stored', now()) ON CONFLICT DO NOTHING;
INSERT INTO market.stocks (symbol, name, market) VALUES ('999990', 'with a gap', 'KOSPI') ON CONFLICT DO NOTHING;
INSERT INTO market.daily_bars (symbol, trade_date, open, high, low, close, volume, value, source)
SELECT '999990', (now() AT TIME ZONE 'Asia/Seoul')::date - age, 1, 1, 1, 1, 1, 1, 'IMPORT' FROM unnest(ARRAY[1, 21]) age
ON CONFLICT DO NOTHING;
