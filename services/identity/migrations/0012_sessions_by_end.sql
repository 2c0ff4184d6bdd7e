-- Each replica asks every ten minutes which sessions are over.
CREATE INDEX session_by_end ON session (ends_at_us);
