-- Prices that the operator waits for, of symbols of the watchlist.
ALTER TABLE strategy.watchlist
    ADD COLUMN target_price    numeric(20,4) CHECK (target_price > 0), -- KRW; what it is held to be worth
    ADD COLUMN alert_enabled   boolean NOT NULL DEFAULT false,
    ADD COLUMN alert_price     numeric(20,4) CHECK (alert_price > 0),  -- KRW, inclusive
    ADD COLUMN alert_condition text CHECK (alert_condition IN ('ABOVE', 'BELOW')), -- at or above, at or below
    ADD COLUMN version         integer NOT NULL DEFAULT 1,
    ADD COLUMN reason          text,
    ADD COLUMN updated_by      text NOT NULL DEFAULT session_user,
    ADD COLUMN updated_ts      timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD CONSTRAINT alert_is_whole CHECK ((alert_price IS NULL) = (alert_condition IS NULL)),
    ADD CONSTRAINT alert_has_price CHECK (NOT alert_enabled OR alert_price IS NOT NULL);

-- A version rises with every change, whoever makes it.
CREATE FUNCTION system.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    NEW.updated_ts := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER touch BEFORE UPDATE ON strategy.watchlist FOR EACH ROW EXECUTE FUNCTION system.touch();
CREATE TRIGGER touch BEFORE UPDATE ON system.config FOR EACH ROW EXECUTE FUNCTION system.touch();
SELECT system.audit('strategy.watchlist');
