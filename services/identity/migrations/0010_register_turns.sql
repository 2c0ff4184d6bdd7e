-- How often somebody registered from a network, by a keyed hash of the day and the network's address; of yesterday nothing is kept. What is
-- lost in a crash is no loss, so it is not logged.
SET LOCAL lock_timeout = '5s';

CREATE UNLOGGED TABLE register_turn (
    key bytea PRIMARY KEY,
    on_date date NOT NULL,
    -- From when on the whole of what may be done at once is free again, microseconds since the epoch.
    free_at_us bigint NOT NULL
);

CREATE INDEX register_turn_on_date ON register_turn (on_date);
