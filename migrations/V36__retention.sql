-- Retention of prices: days that are old leave market.prices for an archive. Nothing is deleted: the
-- detached table stays, in a schema of its own, until the operator drops it.

CREATE SCHEMA archive;

-- One row for each partition that was detached, written in the transaction that detached it. A day has
-- several where prices of it were stored after it had been archived.
CREATE TABLE system.archives (
    archive_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day            date NOT NULL,
    part           integer NOT NULL CHECK (part > 0),
    table_name     text NOT NULL,          -- in schema archive
    file           text NOT NULL,          -- in the folder of retention.folder
    columns        text[] NOT NULL,
    rows           bigint NOT NULL CHECK (rows >= 0),
    first_us       bigint,                 -- logical times; null without rows
    last_us        bigint,
    file_bytes     bigint NOT NULL,
    file_sha256    text NOT NULL CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
    content_sha256 text NOT NULL CHECK (content_sha256 ~ '^[0-9a-f]{64}$'), -- uncompressed
    archived_ts    timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (day, part),
    CHECK ((rows = 0) = (first_us IS NULL) AND (rows = 0) = (last_us IS NULL))
);
SELECT system.make_insert_only('system.archives');

-- One row for each time that a day was put back. Until kept_until it is not archived again.
CREATE TABLE system.archive_restores (
    restore_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day         date NOT NULL,
    rows_added  bigint NOT NULL CHECK (rows_added >= 0),
    kept_until  date NOT NULL,
    restored_ts timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX archive_restores_day ON system.archive_restores (day);
SELECT system.make_insert_only('system.archive_restores');

-- The attached partitions by their bounds: a name may be that of a table that was detached by hand.
CREATE VIEW market.prices_partitions AS
SELECT partition, bounds[1]::date AS day, bounds[2]::date AS until
FROM (
    SELECT i.inhrelid::regclass AS partition, regexp_match(pg_get_expr(c.relpartbound, c.oid),
        'FROM \(''([^'']+)''\) TO \(''([^'']+)''\)') AS bounds
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'market.prices'::regclass AND NOT i.inhdetachpending
) attached;

-- Creates the partition of `day` if none is attached, guarded like its parent. Where the name is
-- taken by a table that was detached, the next one is.
CREATE OR REPLACE FUNCTION market.ensure_prices_partition(day date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    base      text := 'prices_' || to_char($1, 'YYYYMMDD');
    partition text := base;
    number    integer := 1;
BEGIN
    IF EXISTS (SELECT FROM market.prices_partitions p WHERE $1 >= p.day AND $1 < p.until) THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('market.ensure_prices_partition'));
    IF EXISTS (SELECT FROM market.prices_partitions p WHERE $1 >= p.day AND $1 < p.until) THEN
        RETURN false;
    END IF;
    WHILE to_regclass('market.' || partition) IS NOT NULL LOOP
        number := number + 1;
        partition := base || '_' || number;
    END LOOP;
    -- Not at once as PARTITION OF: that locks market.prices against everybody, and while it waits for
    -- whoever reads prices in a long transaction, every writer waits behind it.
    EXECUTE format('CREATE TABLE market.%I (LIKE market.prices INCLUDING ALL)', partition);
    EXECUTE format(
        'ALTER TABLE market.prices ATTACH PARTITION market.%I FOR VALUES FROM (%L) TO (%L)',
        partition, $1, $1 + 1);
    PERFORM system.make_insert_only(('market.' || partition)::regclass);
    RETURN true;
END $$;

-- Detaches the partition of `day` and moves it to schema archive under `name`, its indexes with it.
-- Never waits: who waits for a lock on market.prices makes every writer wait behind it. Where one is
-- not free it fails with lock_not_available, and nothing has changed.
CREATE FUNCTION market.detach_prices(day date, name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    partition regclass;
    old_name  text;
    index_name text;
BEGIN
    SELECT p.partition INTO STRICT partition
    FROM market.prices_partitions p WHERE p.day = $1 AND p.until = $1 + 1;
    SELECT relname INTO STRICT old_name FROM pg_class WHERE oid = partition;
    SET LOCAL lock_timeout = '100ms'; -- For what the statements below lock beside these two.
    LOCK TABLE ONLY market.prices IN ACCESS EXCLUSIVE MODE NOWAIT;
    EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE NOWAIT', partition);
    EXECUTE format('ALTER TABLE market.prices DETACH PARTITION %s', partition);
    IF old_name <> name THEN
        FOR index_name IN
            SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE i.indrelid = partition AND starts_with(c.relname, old_name)
        LOOP
            EXECUTE format('ALTER INDEX market.%I RENAME TO %I', index_name,
                name || substr(index_name, length(old_name) + 1));
        END LOOP;
        EXECUTE format('ALTER TABLE %s RENAME TO %I', partition, name);
    END IF;
    EXECUTE format('ALTER TABLE %s SET SCHEMA archive', partition);
END $$;
