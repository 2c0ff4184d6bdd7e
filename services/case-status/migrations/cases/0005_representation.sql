-- Each representation that a case rests on or that ended: one that ended before the case was opened is not taken with it.
SET lock_timeout = '5s';

CREATE TABLE representation (
    representation_id uuid    PRIMARY KEY,
    ended             boolean NOT NULL DEFAULT false
);
