-- What is signed or approved is held against the form every day, and clients who were asked to look are reminded.
SET LOCAL lock_timeout = '5s';

-- Those of before as well: a timer that finds neither does nothing and is gone.
INSERT INTO log.timer (log, key, kind, due_at_us, payload)
SELECT 'filing', 'signature-held:' || filing_id, 'signature_held', started_at_us, uuid_send(filing_id)
FROM filing WHERE NOT gone
ON CONFLICT (log, key) DO NOTHING;

INSERT INTO log.timer (log, key, kind, due_at_us, payload)
SELECT 'filing', 'review-reminded:' || filing_id, 'review_reminded', started_at_us, uuid_send(filing_id)
FROM filing WHERE representation_id IS NOT NULL AND NOT gone
ON CONFLICT (log, key) DO NOTHING;
