-- How often a refund was asked for, so that the pauses between tries grow; and an obligation for all that is under way.
SET lock_timeout = '2s';

ALTER TABLE refund ADD COLUMN tries integer NOT NULL DEFAULT 0;

INSERT INTO log.obligation (log, kind, key, owner, due_at_us)
SELECT 'payments', 'refund', refund_id::text, 'payments', next_try_at_us + 86400000000
FROM refund WHERE NOT issued
UNION ALL
SELECT 'payments', 'charge_outcome', attempt_id::text, 'payments', started_at_us + 604800000000
FROM attempt WHERE outcome IS NULL
ON CONFLICT (log, kind, key) DO NOTHING;
