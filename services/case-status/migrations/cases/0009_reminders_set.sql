-- How far the log was gone through for what was served or set before there were reminders, and up to where: that is known when the first
-- process with reminders has applied something, since until then one without them may have the turn.
SET lock_timeout = '5s';

CREATE TABLE reminders_set (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint  NOT NULL DEFAULT 0,
    until    bigint
);
INSERT INTO reminders_set DEFAULT VALUES;
