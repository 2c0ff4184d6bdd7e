-- Two sets of rows, `a` and `b`: one in use, one beside it that is built again or kept. Which is in use is one row, so
-- that a switch is one update, and whoever reads sees the one or the other and never a mix.
SET lock_timeout = '5s';

ALTER TABLE case_row RENAME TO case_row_a;
ALTER TABLE timeline RENAME TO timeline_a;
ALTER TABLE case_row_rebuilt RENAME TO case_row_b;
ALTER TABLE timeline_rebuilt RENAME TO timeline_b;

CREATE TABLE projection (
    name text PRIMARY KEY,
    live text NOT NULL CHECK (live IN ('a', 'b'))
);
INSERT INTO projection (name, live) VALUES ('status', 'a');

-- How each set stands. `position`: everything of the log up to here is in it; of the set in use the consumer's
-- checkpoints say it.
CREATE TABLE projection_set (
    projection text NOT NULL REFERENCES projection (name),
    slot text NOT NULL CHECK (slot IN ('a', 'b')),
    generation bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('live', 'empty', 'building', 'built', 'kept')),
    position bigint NOT NULL,
    changed_at_us bigint NOT NULL,
    changed_by text NOT NULL,
    PRIMARY KEY (projection, slot)
);
INSERT INTO projection_set (projection, slot, generation, state, position, changed_at_us, changed_by)
VALUES ('status', 'a', 1, 'live', 0, 0, ''), ('status', 'b', 0, 'empty', 0, 0, '');

-- Every switch there was: who, when and why. No personal data in the reason.
CREATE TABLE projection_switch (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    projection text NOT NULL REFERENCES projection (name),
    from_generation bigint NOT NULL,
    to_generation bigint NOT NULL,
    differing bigint NOT NULL,
    switched_at_us bigint NOT NULL,
    switched_by text NOT NULL,
    reason text NOT NULL
);

CREATE FUNCTION refuse_change_of_switch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'projection_switch is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END;
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON projection_switch
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_switch();

-- What people read. The set that is not in use is not even looked into: its condition is decided once a statement.
CREATE VIEW case_row AS
    SELECT * FROM case_row_a WHERE (SELECT live = 'a' FROM projection WHERE name = 'status')
    UNION ALL
    SELECT * FROM case_row_b WHERE (SELECT live = 'b' FROM projection WHERE name = 'status');
CREATE VIEW timeline AS
    SELECT * FROM timeline_a WHERE (SELECT live = 'a' FROM projection WHERE name = 'status')
    UNION ALL
    SELECT * FROM timeline_b WHERE (SELECT live = 'b' FROM projection WHERE name = 'status');

-- The set in use, for the projector: it stays in use until the projector's transaction ends, since a switch takes the
-- same lock alone. VOLATILE, so that the row is read after the lock is there.
CREATE FUNCTION projection_live(of_projection text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('docket.projection.' || of_projection, 0));
    RETURN (SELECT live FROM projection WHERE name = of_projection);
END;
$$;

-- Empties the set beside. The service's role may not TRUNCATE; this does it for the one set that nobody reads.
CREATE FUNCTION clear_status_beside() RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET lock_timeout = '10s' AS $$
DECLARE
    beside text := CASE projection_live('status') WHEN 'a' THEN 'b' ELSE 'a' END;
BEGIN
    EXECUTE format('TRUNCATE %I, %I', 'case_row_' || beside, 'timeline_' || beside);
    RETURN beside;
END;
$$;
