-- Who issued an invitation, and who withdrew it. One from before says nothing of the first; it lapses within a week.
ALTER TABLE invitation ADD COLUMN issued_by text;
ALTER TABLE invitation ADD COLUMN withdrawn_by uuid;
ALTER TABLE invitation ADD COLUMN withdrawn_at_us bigint;
