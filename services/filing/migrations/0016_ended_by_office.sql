-- The office refuses an appearance that is not valid, or ends those of a representative who may no longer act.
SET LOCAL lock_timeout = '5s';

ALTER TABLE representation DROP CONSTRAINT representation_standing_check;
ALTER TABLE representation ADD CONSTRAINT representation_standing_check CHECK (
    standing IN ('sought', 'prepared', 'active', 'refused', 'withdrawn', 'ended', 'replaced', 'ended_by_office')
    AND (standing IN ('sought', 'ended') OR representative IS NOT NULL)
);
