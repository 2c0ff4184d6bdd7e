-- Drafts are kept for 30 days after the last work on them. Those that have ended count for nothing else.
SET LOCAL lock_timeout = '5s';

ALTER TABLE filing ADD COLUMN gone boolean NOT NULL DEFAULT false;

-- Those begun before are looked after as well: a timer that finds a filing sent long ago does nothing and is gone.
INSERT INTO log.timer (log, key, kind, due_at_us, payload)
SELECT 'filing', 'draft-kept:' || filing_id, 'draft_kept', started_at_us, uuid_send(filing_id) FROM filing
ON CONFLICT (log, key) DO NOTHING;
