-- Appearances that a client asked for, for one filing that was there already, and those that another took the place of.
SET LOCAL lock_timeout = '5s';

-- None before the person whom the client asked enters the appearance.
ALTER TABLE representation ALTER COLUMN representative DROP NOT NULL;
ALTER TABLE representation ADD COLUMN filing_id uuid REFERENCES filing (filing_id);

ALTER TABLE representation DROP CONSTRAINT representation_standing_check;
ALTER TABLE representation ADD CONSTRAINT representation_standing_check CHECK (
    standing IN ('sought', 'prepared', 'active', 'refused', 'withdrawn', 'ended', 'replaced')
    AND (standing IN ('sought', 'ended') OR representative IS NOT NULL)
);
