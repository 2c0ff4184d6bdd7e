-- What operators decided about events that were not, or can no longer be, applied as they were written.

-- A number alone does not name an epoch: a log that is restored twice gives the same number twice.
-- NULL where the checkpoint was made before ids were kept.
ALTER TABLE log.consumer_checkpoint ADD COLUMN epoch_id uuid;

-- Parked events that an operator gave up: never applied, never tried again. Who, why and when stay for ever.
CREATE TABLE log.skipped (
    consumer text COLLATE "C" NOT NULL,
    log text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    -- The epoch the consumer was in: after a restore the same position may be skipped again.
    epoch bigint NOT NULL CHECK (epoch > 0),
    parked_reason text NOT NULL,
    parked_at_us bigint NOT NULL,
    skipped_by text NOT NULL CHECK (skipped_by <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    skipped_at_us bigint NOT NULL,
    PRIMARY KEY (consumer, log, position, epoch, skipped_at_us)
);

-- Restores an operator accepted for a consumer that had seen more than the restored log holds.
CREATE TABLE log.epoch_accepted (
    consumer text COLLATE "C" NOT NULL,
    log text COLLATE "C" NOT NULL,
    epoch bigint NOT NULL CHECK (epoch > 0),
    epoch_id uuid NOT NULL,
    -- The last position that the old and the new history have in common.
    restored_to bigint NOT NULL CHECK (restored_to >= 0),
    -- How far each lane had got, in the order of the lanes.
    seen bigint[] NOT NULL,
    accepted_by text NOT NULL CHECK (accepted_by <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    accepted_at_us bigint NOT NULL,
    PRIMARY KEY (consumer, log, epoch_id, accepted_at_us)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.skipped
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.epoch_accepted
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

-- The grants so far, and those of these tables.
ALTER FUNCTION log.grant_app(name) RENAME TO grant_app_before_0004;
CREATE FUNCTION log.grant_app(app_role name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM log.grant_app_before_0004(app_role);
    EXECUTE format('GRANT SELECT, INSERT ON log.skipped, log.epoch_accepted TO %I', app_role);
    EXECUTE format('GRANT UPDATE (epoch_id) ON log.consumer_checkpoint TO %I', app_role);
END;
$$;
