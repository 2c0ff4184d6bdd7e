-- Append-only by force: what is written stays, whoever asks, and the head never goes back.

CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'log.% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END;
$$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.event
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.command
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.epoch
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log.checkpoint_signed
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON log.head
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON log.stream
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();

CREATE FUNCTION log.refuse_going_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.log <> OLD.log OR NEW.position < OLD.position OR NEW.recorded_at_us < OLD.recorded_at_us THEN
        RAISE EXCEPTION 'the head of log % cannot go back', OLD.log USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER only_forward BEFORE UPDATE ON log.head
    FOR EACH ROW EXECUTE FUNCTION log.refuse_going_back();

-- What the service's own role may do. Events, commands, epochs and signed checkpoints: add and read.
-- The head and the stream heads are guards, so the columns that move with an append may be updated.
-- Timers, obligations, checkpoints of consumers and parked events are working rows.
CREATE FUNCTION log.grant_app(app_role name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA log TO %I', app_role);
    EXECUTE format('GRANT SELECT, INSERT ON log.head, log.event, log.stream, log.command, log.epoch, '
        'log.checkpoint_signed, log.timer, log.obligation, log.consumer_checkpoint, log.parked TO %I', app_role);
    EXECUTE format('GRANT UPDATE (position, recorded_at_us, commits) ON log.head TO %I', app_role);
    EXECUTE format('GRANT UPDATE (version, link, last_position) ON log.stream TO %I', app_role);
    EXECUTE format('GRANT UPDATE (kind, due_at_us, payload) ON log.timer TO %I', app_role);
    EXECUTE format('GRANT UPDATE (closed_by, due_at_us, owner) ON log.obligation TO %I', app_role);
    EXECUTE format('GRANT UPDATE (position, epoch) ON log.consumer_checkpoint TO %I', app_role);
    EXECUTE format('GRANT UPDATE (reason) ON log.parked TO %I', app_role);
    EXECUTE format('GRANT DELETE ON log.timer, log.parked, log.consumer_checkpoint TO %I', app_role);
END;
$$;
