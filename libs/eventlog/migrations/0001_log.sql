-- The log: events, the guards beside them, and what must be true in the same commit.
-- All instants are microseconds since 1970-01-01T00:00:00Z (`…_at_us`), given by the service's clock.
-- A database may hold several logs of one service (`cases-0`, `calendar`, `access`), hence `log` everywhere.

-- One row per log: its lock and its end. Updated in place on every commit, so pages keep room for it.
CREATE TABLE log.head (
    log text COLLATE "C" PRIMARY KEY CHECK (log ~ '^[a-z][a-z0-9-]{0,39}$'),
    position bigint NOT NULL CHECK (position >= 0),
    recorded_at_us bigint NOT NULL,
    commits bigint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE log.event (
    log text COLLATE "C" NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    stream text COLLATE "C" NOT NULL CHECK (octet_length(stream) BETWEEN 1 AND 120),
    version bigint NOT NULL CHECK (version > 0),
    event_id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    recorded_at_us bigint NOT NULL,
    metadata bytea NOT NULL,
    payload bytea NOT NULL,
    -- Every sealed part with its length before it (u64, big-endian), as the link hashes them.
    sealed bytea NOT NULL,
    link bytea NOT NULL CHECK (octet_length(link) = 32),
    format smallint NOT NULL,
    PRIMARY KEY (log, position)
);
CREATE UNIQUE INDEX event_by_stream ON log.event (log, stream, version);
-- "As of an instant" is a prefix of positions.
CREATE INDEX event_by_instant ON log.event (log, recorded_at_us, position);

CREATE TABLE log.stream (
    log text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    link bytea NOT NULL CHECK (octet_length(link) = 32),
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    PRIMARY KEY (log, name)
) WITH (fillfactor = 70);

-- Commands done, for ever. A command without events has last_position = first_position - 1.
CREATE TABLE log.command (
    log text COLLATE "C" NOT NULL,
    actor text COLLATE "C" NOT NULL,
    command_id uuid NOT NULL,
    request_mac bytea NOT NULL,
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    PRIMARY KEY (log, actor, command_id),
    CHECK (last_position >= first_position - 1)
);

-- Raised when a log is restored to an earlier point; the row is what makes a rollback legitimate.
CREATE TABLE log.epoch (
    log text COLLATE "C" NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    id uuid NOT NULL,
    from_position bigint NOT NULL CHECK (from_position > 0),
    reason text NOT NULL,
    started_at_us bigint NOT NULL,
    mac bytea NOT NULL,
    PRIMARY KEY (log, number)
);

-- Signed roots of the Merkle tree over positions 1 … size. `frontier` are its peaks, left to right, 32 bytes each.
CREATE TABLE log.checkpoint_signed (
    log text COLLATE "C" NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    frontier bytea NOT NULL,
    epoch bigint NOT NULL,
    signed_at_us bigint NOT NULL,
    key_id text NOT NULL,
    signature bytea NOT NULL CHECK (octet_length(signature) = 64),
    PRIMARY KEY (log, size, epoch)
);

CREATE TABLE log.timer (
    log text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    due_at_us bigint NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (log, key)
);
CREATE INDEX timer_by_due ON log.timer (log, due_at_us);

CREATE TABLE log.obligation (
    log text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    due_at_us bigint NOT NULL,
    closed_by bigint,
    PRIMARY KEY (log, kind, key)
);
CREATE INDEX obligation_open ON log.obligation (log, due_at_us) WHERE closed_by IS NULL;

-- Where a consumer of some log, ours or another service's, has got to.
CREATE TABLE log.consumer_checkpoint (
    consumer text COLLATE "C" NOT NULL,
    log text COLLATE "C" NOT NULL,
    lane integer NOT NULL CHECK (lane >= 0),
    position bigint NOT NULL CHECK (position >= 0),
    epoch bigint NOT NULL,
    PRIMARY KEY (consumer, log, lane)
) WITH (fillfactor = 50);

-- Events which could not be applied; later events of the same stream park behind them, in order.
CREATE TABLE log.parked (
    consumer text COLLATE "C" NOT NULL,
    log text COLLATE "C" NOT NULL,
    stream text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    reason text NOT NULL,
    since_at_us bigint NOT NULL,
    PRIMARY KEY (consumer, log, stream, position)
);
CREATE INDEX parked_by_age ON log.parked (consumer, since_at_us);
