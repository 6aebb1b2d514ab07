-- The exact stop floor, `avg × (1 + floor)`, has up to sixteen decimals. It is text, so that no
-- reader of the change feed passes it through binary floating point; stop_floor_price is the level
-- that people read, rounded half to even to four decimals.
ALTER TABLE trade.position_state ADD COLUMN stop_floor text
    CHECK (stop_floor::numeric(36, 16) > 0);
UPDATE trade.position_state SET stop_floor = stop_floor_price::text WHERE stop_floor_price > 0;
