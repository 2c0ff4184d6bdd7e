-- The tokens of a session are found when it is removed: without this, each session that is over costs a look at every token.
-- A file of its own, as is the next one: whoever signs in writes both tables, and nobody waits crosswise for two locks.
CREATE INDEX refresh_token_of_session ON refresh_token (session_id);
