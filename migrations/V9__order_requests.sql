-- What the operator asks of orders. The engine follows a request while its order has not ended; what
-- became of it is told by trade.order_events.
CREATE TABLE trade.order_requests (
    request_id uuid PRIMARY KEY,
    order_id   uuid NOT NULL REFERENCES trade.orders,
    kind       text NOT NULL CHECK (kind IN ('APPROVE', 'REJECT', 'CANCEL')),
    asked_by   text NOT NULL,
    reason     text,
    created_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX order_requests_ts ON trade.order_requests (created_ts);
CREATE INDEX order_requests_order ON trade.order_requests (order_id);
SELECT system.make_insert_only('trade.order_requests');

-- Orders that wait for the operator are few among many.
CREATE INDEX order_events_pending ON trade.order_events (ts) WHERE status = 'PENDING_APPROVAL';
