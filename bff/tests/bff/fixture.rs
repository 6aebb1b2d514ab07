//! One of everything: a live position, and one that was sold and may be bought back.

/// Position that is open, with its first take-profit done.
pub(crate) const LIVE: &str = "11111111-1111-4111-8111-111111111111";
/// Position that is closed.
pub(crate) const CLOSED: &str = "22222222-2222-4222-8222-222222222222";
/// Order that closed it.
pub(crate) const ORDER: &str = "33333333-3333-4333-8333-333333333333";

/// Statements that insert the rows.
pub(crate) const ROWS: &str = r#"
INSERT INTO market.stocks (symbol, name, market) VALUES
    ('005930', '삼성전자', 'KOSPI'), ('000660', 'SK하이닉스', 'KOSPI'), ('0001A0', 'No ticks', 'KOSDAQ');
SELECT market.ensure_prices_partition('2026-11-24');
SELECT market.ensure_prices_partition('2026-11-25');
INSERT INTO market.prices (trade_date, logical_us, symbol, ts, recv_ts, source, last_price, bid, ask,
    volume, change_price, change_rate, session) VALUES
    ('2026-11-24', 1795500000000001, '005930', '2026-11-24 15:00:00+09', '2026-11-24 15:00:00.2+09',
     'KIS_WS', 70000, 69900, 70000, 10, -100, -0.14, 'REGULAR'),
    ('2026-11-24', 1795500000000002, '000660', '2026-11-24 15:00:00+09', '2026-11-24 15:00:00.2+09',
     'NAVER', 210500.5, NULL, NULL, 3, NULL, NULL, 'REGULAR'),
    ('2026-11-24', 1795500000000003, '005930', '2026-11-24 15:00:01+09', '2026-11-24 15:00:01.2+09',
     'KIS_WS', 70100, 70000, 70100, 25, 0, 0, 'REGULAR');
INSERT INTO trade.exit_rules (rule_id, scope, name, rules, created_by)
VALUES ('tight', 'POSITION', 'Tight', '{}', 'test');
INSERT INTO trade.positions (position_id, account_id, symbol, qty, original_qty, avg_price, entry_ts,
    status, strategy_id, exit_profile_id, closed_ts, updated_ts) VALUES
    ('11111111-1111-4111-8111-111111111111', 'A', '005930', 90, 100, 65432.1234,
     '2026-11-23 09:30:00+09', 'OPEN', 'MOMENTUM', 'tight', NULL, '2026-11-24 09:00:00+09'),
    ('22222222-2222-4222-8222-222222222222', 'A', '000660', 0, 10, 200000,
     '2026-11-20 10:00:00+09', 'CLOSED', 'MANUAL', NULL, '2026-11-24 14:00:00+09',
     '2026-11-24 14:00:00+09');
UPDATE trade.position_state SET phase = 'TP1_DONE', stop_floor_price = 65825, hwm_price = 71000
WHERE position_id = '11111111-1111-4111-8111-111111111111';
INSERT INTO trade.orders (order_id, action_key, account_id, position_id, symbol, side, intent_type, qty,
    order_type, limit_price, reason_code, phase, price, level, decided_us, explanation, created_ts)
VALUES ('33333333-3333-4333-8333-333333333333', 'exit:22222222:SL1:1', 'A',
    '22222222-2222-4222-8222-222222222222', '000660', 'SELL', 'EXIT_FULL', 10, 'LMT', 193900, 'SL1',
    'OPEN', 194000, 194000, 1795496390000000,
    '{"tick": {"price": 194000.25, "logical_us": 1795496390000000}, "rule": {"id": "default", "version": 3}}',
    '2026-11-24 13:59:50+09');
INSERT INTO trade.order_events (order_id, status, send_attempt, broker_date, broker_order_no, filled_qty,
    code, message, ts) VALUES
    ('33333333-3333-4333-8333-333333333333', 'NEW', 0, NULL, NULL, 0, NULL, NULL, '2026-11-24 13:59:50+09'),
    ('33333333-3333-4333-8333-333333333333', 'SUBMITTED', 1, '2026-11-24', '0000117057', 0, 'APBK0013',
     'order accepted', '2026-11-24 13:59:51+09'),
    ('33333333-3333-4333-8333-333333333333', 'FILLED', 1, '2026-11-24', '0000117057', 10, NULL, NULL,
     '2026-11-24 14:00:00+09');
INSERT INTO trade.executions (fill_id, order_id, exec_key, ts, qty, price, fee, tax, source, created_ts)
VALUES ('44444444-4444-4444-8444-444444444444', '33333333-3333-4333-8333-333333333333', 'NOTICE:10',
    '2026-11-24 14:00:00+09', 10, 193950, 290.925, 3491.1, 'NOTICE', '2026-11-24 14:00:00+09');
INSERT INTO trade.exit_events (exit_event_id, position_id, account_id, symbol, exit_ts, exit_qty,
    original_qty, exit_avg_price, exit_reason_code, source, order_id, realized_pnl, realized_pnl_pct)
VALUES ('55555555-5555-4555-8555-555555555555', '22222222-2222-4222-8222-222222222222', 'A', '000660',
    '2026-11-24 14:00:00+09', 10, 10, 193950, 'SL1', 'AUTO_EXIT',
    '33333333-3333-4333-8333-333333333333', -64282.025, -3.214101);
INSERT INTO trade.reentry_candidates (candidate_id, exit_event_id, symbol, origin_position_id,
    exit_reason_code, exit_ts, exit_price, original_qty, cooldown_until, state, updated_ts)
VALUES ('66666666-6666-4666-8666-666666666666', '55555555-5555-4555-8555-555555555555', '000660',
    '22222222-2222-4222-8222-222222222222', 'SL1', '2026-11-24 14:00:00+09', 193950, 10,
    '2026-11-24 14:30:00+09', 'COOLDOWN', '2026-11-24 14:00:00+09');
INSERT INTO trade.reentry_history (candidate_id, exit_event_id, symbol, ts, decided_us, status, gate,
    reason, price) VALUES
    ('66666666-6666-4666-8666-666666666666', '55555555-5555-4555-8555-555555555555', '000660',
     '2026-11-24 14:00:00+09', 1795496400000000, 'COOLDOWN', NULL, NULL, 193950),
    ('66666666-6666-4666-8666-666666666666', '55555555-5555-4555-8555-555555555555', '000660',
     '2026-11-24 14:10:00+09', 1795497000000000, 'BLOCKED', 'COOLDOWN', 'cooling down until 14:30', 195000);
INSERT INTO system.logs (ts, level, module, event, symbol, message, context) VALUES
    ('2026-11-24 14:00:00+09', 'INFO', 'exit', 'exit_filled', '000660', 'position closed', '{"qty": 10}'),
    ('2026-11-24 14:00:05+09', 'P0', 'monitor', 'broker_down', NULL, 'broker does not answer', '{}');
INSERT INTO system.job_runs (account_id, job, run_key, status, started_ts, ended_ts, fetched, changed,
    reason) VALUES
    ('A', 'calendar', '2026-11-24', 'DONE', '2026-11-24 07:30:00+09', '2026-11-24 07:30:02+09', 151, 3, NULL),
    ('A', 'stocks', '2026-11-24', 'FAILED', '2026-11-24 07:40:00+09', '2026-11-24 07:41:00+09', 7, 0,
     'search-stock-info: throttled'),
    ('A', 'stocks', '2026-11-24', 'RUNNING', '2026-11-24 07:41:30+09', NULL, 0, 0, NULL);
INSERT INTO market.calendar (day, source, is_open, is_trading_day, is_business_day, is_settlement_day,
    is_conflict, fetched_ts, changed_ts) VALUES
    ('2026-12-24', 'CONFIG', true, NULL, NULL, NULL, false, '2026-11-24 07:30:00+09', '2026-11-24 07:30:00+09'),
    ('2026-12-25', 'CONFIG', false, NULL, NULL, NULL, false, '2026-11-24 07:30:00+09', '2026-11-24 07:30:00+09'),
    ('2026-12-25', 'KIS', true, true, true, true, true, '2026-11-24 07:30:02+09', '2026-11-24 07:30:02+09'),
    ('2026-12-26', 'KIS', true, true, true, true, false, '2026-11-24 07:30:02+09', '2026-11-24 07:30:02+09'),
    ('2026-12-28', 'KIS', true, true, true, true, false, '2026-11-24 07:30:02+09', '2026-11-24 07:30:02+09'),
    ('2026-12-28', 'OPERATOR', false, NULL, NULL, NULL, false, '2026-11-24 07:31:00+09', '2026-11-24 07:31:00+09');
"#;
