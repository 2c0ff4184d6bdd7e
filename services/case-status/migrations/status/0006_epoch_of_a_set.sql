-- The log's epoch when the rows of a set were begun: after a restore the rows of an older one are not taken into use again.
SET lock_timeout = '5s';

ALTER TABLE projection_set ADD COLUMN epoch bigint NOT NULL DEFAULT 1, ADD COLUMN epoch_id uuid;
