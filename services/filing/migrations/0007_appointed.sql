-- Appearances that a client asked for, for one filing that was there already, and those that another took the place of.
SET LOCAL lock_timeout = '5s';

-- None before the person whom the client asked enters the appearance.
ALTER TABLE representation ALTER COLUMN representative DROP NOT NULL;
-- Not called as the column of the other table: statements of the release before join the two.
ALTER TABLE representation ADD COLUMN asked_for uuid REFERENCES filing (filing_id);

ALTER TABLE representation DROP CONSTRAINT representation_standing_check;
ALTER TABLE representation ADD CONSTRAINT representation_standing_check CHECK (
    standing IN ('sought', 'prepared', 'active', 'refused', 'withdrawn', 'ended', 'replaced')
    AND (standing IN ('sought', 'ended') OR representative IS NOT NULL)
);
