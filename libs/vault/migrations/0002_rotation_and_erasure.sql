-- Rotation of the root keys, and erasure by two people with a certificate. Ids and codes only: nothing here says
-- who a person is.
SET LOCAL lock_timeout = '5s';

-- A version of a root key is live, then retired (nothing new is wrapped under it), then destroyed (nothing is left
-- under it).
ALTER TABLE vault.service_key
    DROP CONSTRAINT service_key_name_check,
    ADD CONSTRAINT service_key_name_check CHECK (name IN ('wrap', 'mac', 'certificate')),
    ALTER COLUMN wrapped DROP NOT NULL,
    ADD COLUMN retired_at_us bigint,
    ADD COLUMN destroyed_at_us bigint,
    ADD CHECK ((wrapped IS NULL) = (destroyed_at_us IS NOT NULL)),
    ADD CHECK (destroyed_at_us IS NULL OR retired_at_us IS NOT NULL);

-- What is still wrapped under an old version, in the order in which it is wrapped anew.
CREATE INDEX data_key_by_wrap_version ON vault.data_key (wrap_version, subject) WHERE wrapped IS NOT NULL;

-- Holds and their releases: two lists that only grow. A hold without a release is in force.
CREATE TABLE vault.hold (
    id uuid PRIMARY KEY,
    subject text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL CHECK (reason ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    held_by text NOT NULL,
    held_at_us bigint NOT NULL
);
CREATE INDEX hold_by_subject ON vault.hold (subject);

CREATE TABLE vault.hold_release (
    hold uuid PRIMARY KEY REFERENCES vault.hold,
    reason text COLLATE "C" NOT NULL CHECK (reason ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    released_by text NOT NULL,
    released_at_us bigint NOT NULL
);

-- Who held what was not kept before; a reason that is no code becomes one.
INSERT INTO vault.hold (id, subject, reason, held_by, held_at_us)
SELECT md5('hold ' || subject || ' ' || reason)::uuid, subject,
       left('earlier-' || btrim(regexp_replace(lower(reason), '[^a-z0-9]+', '-', 'g'), '-'), 64),
       'machine:migration', held_at_us
FROM vault.legal_hold;
INSERT INTO vault.hold_release (hold, reason, released_by, released_at_us)
SELECT md5('hold ' || subject || ' ' || reason)::uuid, 'earlier', 'machine:migration', released_at_us
FROM vault.legal_hold WHERE released_at_us IS NOT NULL;
DROP TABLE vault.legal_hold;

-- An erasure is asked by one and approved by another.
CREATE TABLE vault.erasure_request (
    id uuid PRIMARY KEY,
    subject text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL CHECK (reason ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    legal_basis text COLLATE "C" NOT NULL CHECK (legal_basis ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    asked_by text NOT NULL,
    asked_at_us bigint NOT NULL,
    approved_by text CHECK (approved_by <> asked_by AND approved_by LIKE 'account:%'),
    executed_at_us bigint,
    cancelled_by text,
    cancelled_at_us bigint,
    CHECK ((approved_by IS NULL) = (executed_at_us IS NULL)),
    CHECK ((cancelled_by IS NULL) = (cancelled_at_us IS NULL)),
    CHECK (executed_at_us IS NULL OR cancelled_at_us IS NULL)
);
CREATE UNIQUE INDEX erasure_request_open ON vault.erasure_request (subject)
    WHERE executed_at_us IS NULL AND cancelled_at_us IS NULL;

CREATE TABLE vault.erasure_certificate (
    request uuid PRIMARY KEY REFERENCES vault.erasure_request,
    subject text COLLATE "C" NOT NULL UNIQUE,
    statement text NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL CHECK (octet_length(signature) = 64)
);

-- By force, for every role: a destroyed key stays destroyed, a hold wins, and what was recorded stays.
CREATE FUNCTION vault.guard_data_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.wrapped IS NULL THEN
        RAISE EXCEPTION 'the key of % was destroyed for good', OLD.subject USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT FROM vault.hold h WHERE h.subject = OLD.subject
               AND NOT EXISTS (SELECT FROM vault.hold_release r WHERE r.hold = h.id)) THEN
        RAISE EXCEPTION 'a legal hold on % forbids erasure', OLD.subject USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM vault.erasure_certificate c WHERE c.subject = OLD.subject) THEN
        RAISE EXCEPTION 'no certificate says that % is erased', OLD.subject USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER guard BEFORE UPDATE ON vault.data_key FOR EACH ROW
    WHEN (OLD.wrapped IS NULL OR NEW.wrapped IS NULL) EXECUTE FUNCTION vault.guard_data_key();

CREATE FUNCTION vault.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'vault.% only grows', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END;
$$;
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON vault.erasure
    FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_change();
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON vault.erasure_certificate
    FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_change();
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON vault.hold
    FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_change();
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON vault.hold_release
    FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_change();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON vault.erasure_request
    FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_change();
CREATE TRIGGER settled_stays BEFORE UPDATE ON vault.erasure_request FOR EACH ROW
    WHEN (OLD.executed_at_us IS NOT NULL OR OLD.cancelled_at_us IS NOT NULL)
    EXECUTE FUNCTION vault.refuse_change();

CREATE OR REPLACE FUNCTION vault.grant_app(app_role name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA vault TO %I', app_role);
    EXECUTE format('GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA vault TO %I', app_role);
    EXECUTE format('REVOKE ALL ON vault._migrations FROM %I', app_role);
    -- To rewrite the tables, so that no page keeps what was replaced.
    EXECUTE format('GRANT MAINTAIN ON vault.data_key, vault.service_key TO %I', app_role);
    EXECUTE format('GRANT UPDATE (wrapped, wrap_version, destroyed_at_us) ON vault.data_key TO %I', app_role);
    EXECUTE format('GRANT UPDATE (wrapped, kek_id, retired_at_us, destroyed_at_us) ON vault.service_key TO %I', app_role);
    EXECUTE format(
        'GRANT UPDATE (approved_by, executed_at_us, cancelled_by, cancelled_at_us) ON vault.erasure_request TO %I',
        app_role);
END;
$$;
