-- How often a mail was queued again after it had failed: the address of its account is another one since, and what it tells of was not
-- opened.
SET LOCAL lock_timeout = '5s';

ALTER TABLE delivery ADD COLUMN again integer NOT NULL DEFAULT 0;
