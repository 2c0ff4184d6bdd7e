-- The notices of a case are issued in the order of its events; what was owed before this file goes first.
SET LOCAL lock_timeout = '5s';

ALTER TABLE owed_notice ADD COLUMN position bigint NOT NULL DEFAULT 0;
CREATE INDEX owed_notice_of_case ON owed_notice (case_id, position);
