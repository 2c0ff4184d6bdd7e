-- How often strangers of a network asked by receipt number, by a keyed hash of the day and the network's address; of yesterday nothing
-- is kept. What is lost in a crash is no loss, so it is not logged.
SET lock_timeout = '5s';

CREATE UNLOGGED TABLE public_turn (
    key bytea PRIMARY KEY,
    on_date date NOT NULL,
    -- From when on the whole of what may be asked at once is free again, microseconds since the epoch.
    free_at_us bigint NOT NULL
);

CREATE INDEX public_turn_on_date ON public_turn (on_date);
