-- Keys of a service: two root keys, one data key per subject, erasures and legal holds.
-- They live in a database of their own, so that a backup of the events never holds them.

CREATE TABLE vault.service_key (
    name text COLLATE "C" NOT NULL CHECK (name IN ('wrap', 'mac')),
    version integer NOT NULL CHECK (version > 0),
    wrapped bytea NOT NULL,
    kek_id text NOT NULL,
    created_at_us bigint NOT NULL,
    PRIMARY KEY (name, version)
);

-- A destroyed key keeps its row, without the key: the subject stays erased for ever.
CREATE TABLE vault.data_key (
    subject text COLLATE "C" PRIMARY KEY,
    key_id uuid NOT NULL,
    wrapped bytea,
    wrap_version integer NOT NULL,
    created_at_us bigint NOT NULL,
    destroyed_at_us bigint,
    CHECK ((wrapped IS NULL) = (destroyed_at_us IS NOT NULL))
);

CREATE TABLE vault.erasure (
    subject text COLLATE "C" PRIMARY KEY,
    key_id uuid NOT NULL,
    erased_at_us bigint NOT NULL
);

CREATE TABLE vault.legal_hold (
    subject text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    held_at_us bigint NOT NULL,
    released_at_us bigint,
    PRIMARY KEY (subject, reason)
);

-- What the service's own role may do here: make keys and destroy them, never forget an erasure.
CREATE FUNCTION vault.grant_app(app_role name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA vault TO %I', app_role);
    EXECUTE format('GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA vault TO %I', app_role);
    EXECUTE format('REVOKE ALL ON vault._migrations FROM %I', app_role);
    EXECUTE format('GRANT UPDATE (wrapped, destroyed_at_us) ON vault.data_key TO %I', app_role);
    EXECUTE format('GRANT UPDATE (held_at_us, released_at_us) ON vault.legal_hold TO %I', app_role);
    EXECUTE format('GRANT UPDATE (wrapped, kek_id) ON vault.service_key TO %I', app_role);
END;
$$;
