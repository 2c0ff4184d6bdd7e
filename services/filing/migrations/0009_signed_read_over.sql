-- What was signed and lies beside its event is read over as files are; it is nobody's evidence.
SET LOCAL lock_timeout = '5s';

ALTER TABLE damaged_file ALTER COLUMN evidence_id DROP NOT NULL;
