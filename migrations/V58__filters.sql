-- Lists that are narrowed: of one symbol, level, event or job, newest first.
CREATE INDEX orders_symbol ON trade.orders (symbol, created_ts DESC, order_id DESC);
CREATE INDEX logs_level ON system.logs (level, id);
CREATE INDEX logs_event ON system.logs (event, id);
CREATE INDEX logs_symbol ON system.logs (symbol, id) WHERE symbol IS NOT NULL;
CREATE INDEX job_runs_job ON system.job_runs (job, run_id);
-- When one was stored last.
CREATE INDEX disclosures_created ON market.disclosures (created_ts);
