-- Snapshots (a cache that may be thrown away), slots of a log that is one of several, and one index less.

-- "As of an instant" is found by halving positions: instants never go back, so the primary key serves.
DROP INDEX log.event_by_instant;

-- The 64 virtual slots of new streams: a set bit closes a slot here, so that its new streams are born in another log.
-- Streams that are here stay here. Changed under the head's lock, like everything that decides.
ALTER TABLE log.head ADD COLUMN closed_slots bigint NOT NULL DEFAULT 0;

-- A fold's state after some version of a stream. Any row may be deleted at any time.
CREATE TABLE log.snapshot (
    log text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    fold text COLLATE "C" NOT NULL,
    fold_version integer NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    -- Of the event with that version: a snapshot of another history is recognised by it.
    link bytea NOT NULL CHECK (octet_length(link) = 32),
    state bytea NOT NULL,
    PRIMARY KEY (log, stream, fold, fold_version)
);

CREATE FUNCTION log.grant_snapshots(app_role name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON log.snapshot TO %I', app_role);
    EXECUTE format('GRANT UPDATE (closed_slots) ON log.head TO %I', app_role);
END;
$$;
