-- Whether timers were set for the reminders of what was served or set before there were any: the first process to serve with this
-- table does that.
SET lock_timeout = '5s';

CREATE TABLE reminders_set (one boolean PRIMARY KEY DEFAULT true CHECK (one));
