-- What tells a repetition of a request from another request with its id. Keyed hashes only.

-- The request which confirmed the app; the row is kept for a day after it, without the password's hash.
ALTER TABLE registration ADD COLUMN confirmed_with bytea CHECK (octet_length(confirmed_with) = 32);

-- The code with which the session began.
ALTER TABLE session ADD COLUMN begun_with bytea CHECK (octet_length(begun_with) = 32);
