-- What identity keeps besides its log: secrets in use, never facts. Hashes and sealed bytes only.
-- All instants are microseconds since 1970-01-01T00:00:00Z (`…_at_us`), given by the service's clock.

-- One row per call of Register. The account of a known, active address is not named: its code is never mailed.
CREATE TABLE registration (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    account_id uuid,
    password_hash text NOT NULL,
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    expires_at_us bigint NOT NULL,
    proven_at_us bigint
);
CREATE INDEX registration_by_account ON registration (account_id);

-- Argon2id in PHC form.
CREATE TABLE credential (
    account_id uuid PRIMARY KEY,
    password_hash text NOT NULL,
    changed_at_us bigint NOT NULL
);

-- The secret is sealed under the account's key. A step once used is never taken again (RFC 6238 §5.2).
CREATE TABLE totp (
    account_id uuid PRIMARY KEY,
    secret_sealed bytea NOT NULL,
    last_step bigint NOT NULL DEFAULT 0,
    confirmed_at_us bigint
);

CREATE TABLE recovery_code (
    account_id uuid NOT NULL,
    code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    used_at_us bigint,
    PRIMARY KEY (account_id, code_hash)
);

-- Tries of a secret, charged before the secret is looked at, so that parallel guesses cannot slip through.
CREATE TABLE tries (
    key text COLLATE "C" PRIMARY KEY,
    failures integer NOT NULL CHECK (failures >= 0),
    last_at_us bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE session (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    started_at_us bigint NOT NULL,
    used_at_us bigint NOT NULL,
    ends_at_us bigint NOT NULL,
    stepped_up_at_us bigint,
    ended_at_us bigint
) WITH (fillfactor = 70);
CREATE INDEX session_by_account ON session (account_id) WHERE ended_at_us IS NULL;

-- One row per use; the session is the family.
CREATE TABLE refresh_token (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    session_id uuid NOT NULL REFERENCES session (id),
    issued_at_us bigint NOT NULL,
    used_at_us bigint
);

CREATE TABLE invitation (
    code_hash bytea PRIMARY KEY CHECK (octet_length(code_hash) = 32),
    role text NOT NULL,
    office text NOT NULL,
    expires_at_us bigint NOT NULL,
    redeemed_by uuid,
    redeemed_at_us bigint
);

-- Ed25519; the private part is sealed by the vault.
CREATE TABLE signing_key (
    kid text COLLATE "C" PRIMARY KEY,
    public_key bytea NOT NULL CHECK (octet_length(public_key) = 32),
    private_sealed bytea NOT NULL,
    created_at_us bigint NOT NULL
);

-- Mail to be sent: written before, settled after. Address and code are sealed and go when the mail is settled.
CREATE TABLE mail (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    sealed bytea,
    attempts integer NOT NULL DEFAULT 0,
    next_at_us bigint NOT NULL,
    settled_at_us bigint,
    outcome text CHECK (outcome IN ('sent', 'refused', 'expired'))
);
CREATE INDEX mail_due ON mail (next_at_us) WHERE settled_at_us IS NULL;
