-- What a change of quantity and average cost means for phase, floor, mark and cycle. One mechanism
-- for whoever writes the row: the ledger, a holdings sync, an operator.

-- The average that phase and floor were judged from; a change is measured against it, so that many
-- small ones add up.
ALTER TABLE trade.position_state ADD COLUMN last_avg_price numeric(20,4) CHECK (last_avg_price > 0);
UPDATE trade.position_state s SET last_avg_price = p.avg_price
FROM trade.positions p WHERE p.position_id = s.position_id AND p.avg_price > 0;
-- Prices after this logical time count for the high-water mark; null: all since the entry. What was
-- reached by then, and still counts, is hwm_price, at the tick hwm_us.
ALTER TABLE trade.position_state ADD COLUMN hwm_since_us bigint;

CREATE OR REPLACE FUNCTION trade.positions_open_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trade.position_state (position_id, last_avg_price)
    VALUES (NEW.position_id, nullif(NEW.avg_price, 0));
    RETURN NULL;
END $$;

CREATE FUNCTION trade.micros(ts timestamptz) RETURNS bigint IMMUTABLE LANGUAGE sql AS
    $$ SELECT (extract(epoch FROM ts) * 1000000)::bigint $$;

CREATE FUNCTION trade.round_half_even(value numeric, digits integer) RETURNS numeric
IMMUTABLE LANGUAGE sql AS $$
    SELECT round(value, digits) - CASE
        WHEN abs(value - trunc(value, digits)) * 2 * 10::numeric ^ digits = 1
            AND mod(trunc(value, digits) * 10::numeric ^ digits, 2) = 0
        THEN sign(value) / 10::numeric ^ digits ELSE 0 END
$$;

-- The highest evaluation price since the entry or the last reset, and a tick that had it; null
-- before the first price.
CREATE VIEW trade.high_water_marks AS
SELECT s.position_id, greatest(s.hwm_price, reached.price) AS mark,
    CASE WHEN s.hwm_price > reached.price OR reached.price IS NULL THEN s.hwm_us
        ELSE reached.logical_us END AS mark_us
FROM trade.position_state s
JOIN trade.positions p USING (position_id)
LEFT JOIN LATERAL (
    SELECT CASE WHEN t.bid > 0 THEN t.bid ELSE t.last_price END AS price, t.logical_us
    FROM market.prices t
    WHERE t.symbol = p.symbol AND t.session <> 'EXPECTED'
        AND t.logical_us >= coalesce(s.hwm_since_us + 1, trade.micros(p.entry_ts))
        AND t.trade_date >= (coalesce(to_timestamp(s.hwm_since_us / 1000000), p.entry_ts)
            AT TIME ZONE 'Asia/Seoul')::date
    ORDER BY 1 DESC, 2 DESC LIMIT 1
) reached ON true;

-- Against the reference average:
--   a split (quantity and price move inversely)     rescales; phase and cycle stay
--   less than 0.5 %                                 is noise
--   up to 2 %, or more without a purchase           keeps the phase; the floor follows, upwards only
--   more than 2 % with more shares                  is an add-on buy: a new cycle from phase OPEN
-- Whoever raises the cycle himself has reset the state himself.
CREATE FUNCTION trade.positions_classify() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    state   trade.position_state;
    change  numeric;
    floor   numeric;              -- exact, with guard digits for one division
    ratio   bigint;               -- of the larger quantity to the smaller
    is_split boolean := false;
BEGIN
    IF NEW.status = 'CLOSED' OR NEW.avg_price = OLD.avg_price OR NEW.avg_price = 0 THEN
        RETURN NEW;
    END IF;
    SELECT * INTO state FROM trade.position_state
    WHERE position_id = NEW.position_id FOR NO KEY UPDATE;
    IF NEW.cycle <> OLD.cycle OR state.last_avg_price IS NULL THEN
        UPDATE trade.position_state SET last_avg_price = NEW.avg_price
        WHERE position_id = NEW.position_id;
        RETURN NEW;
    END IF;
    change := abs(NEW.avg_price - state.last_avg_price);
    floor := coalesce(state.stop_floor::numeric, nullif(state.stop_floor_price, 0))::numeric(46,26);
    IF least(NEW.qty, OLD.qty) > 0 THEN
        ratio := greatest(NEW.qty, OLD.qty) / least(NEW.qty, OLD.qty);
        is_split := ratio > 1 AND ratio * least(NEW.qty, OLD.qty) = greatest(NEW.qty, OLD.qty)
            AND abs(NEW.qty * NEW.avg_price - OLD.qty * OLD.avg_price) * 100 <= OLD.qty * OLD.avg_price;
    END IF;

    IF is_split THEN
        floor := round(floor * OLD.qty / NEW.qty, 16);
        IF NEW.original_qty = OLD.original_qty THEN
            NEW.original_qty := greatest(1, round(OLD.original_qty::numeric * NEW.qty / OLD.qty));
        END IF;
        UPDATE trade.position_state SET
            stop_floor = trim_scale(floor)::text,
            stop_floor_price = trade.round_half_even(floor, 4),
            (hwm_price, hwm_us) = (
                SELECT trade.round_half_even(mark * OLD.qty / NEW.qty, 4), mark_us
                FROM trade.high_water_marks WHERE position_id = NEW.position_id),
            hwm_since_us = trade.micros(clock_timestamp()),
            last_avg_price = trade.round_half_even(state.last_avg_price * OLD.qty / NEW.qty, 4),
            updated_ts = clock_timestamp()
        WHERE position_id = NEW.position_id;
    ELSIF change * 1000 < state.last_avg_price * 5 THEN
        NULL;
    ELSIF change * 100 > state.last_avg_price * 2 AND NEW.qty > OLD.qty THEN
        NEW.cycle := OLD.cycle + 1;
        NEW.original_qty := NEW.qty;
        UPDATE trade.position_state SET
            phase = 'OPEN', stop_floor = NULL, stop_floor_price = NULL, hwm_price = NULL,
            hwm_us = NULL, hwm_since_us = trade.micros(clock_timestamp()), last_avg_price = NEW.avg_price,
            updated_ts = clock_timestamp()
        WHERE position_id = NEW.position_id;
    ELSE
        floor := greatest(floor, round(floor * NEW.avg_price / state.last_avg_price, 16));
        UPDATE trade.position_state SET
            stop_floor = trim_scale(floor)::text,
            stop_floor_price = trade.round_half_even(floor, 4),
            last_avg_price = NEW.avg_price, updated_ts = clock_timestamp()
        WHERE position_id = NEW.position_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER classify BEFORE UPDATE OF qty, avg_price ON trade.positions
    FOR EACH ROW EXECUTE FUNCTION trade.positions_classify();
