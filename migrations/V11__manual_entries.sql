-- What the operator asks to buy. The engine makes an order of it, or says why it does not; what became
-- of the order is told by trade.order_events.
CREATE TABLE trade.manual_entries (
    request_id  uuid PRIMARY KEY,
    symbol      text NOT NULL REFERENCES market.stocks,
    qty         bigint NOT NULL CHECK (qty > 0),
    limit_price numeric(20,4) CHECK (limit_price > 0), -- none: at market
    asked_by    text NOT NULL,
    reason      text,
    state       text NOT NULL DEFAULT 'ASKED' CHECK (state IN ('ASKED', 'ORDERED', 'REFUSED')),
    message     text,                       -- why it was refused
    order_id    uuid REFERENCES trade.orders,
    created_ts  timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_ts  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((state = 'ORDERED') = (order_id IS NOT NULL))
);
CREATE INDEX manual_entries_asked ON trade.manual_entries (created_ts) WHERE state = 'ASKED';
