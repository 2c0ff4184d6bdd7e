-- Where the party of a case lives is followed from now on. Of cases from before, false until it was read in the log of cases where they moved.
SET LOCAL lock_timeout = '5s';

ALTER TABLE matter ADD COLUMN zone_read boolean NOT NULL DEFAULT false;
ALTER TABLE matter ALTER COLUMN zone_read SET DEFAULT true;
CREATE INDEX matter_zone_unread ON matter (case_id) WHERE NOT zone_read;
