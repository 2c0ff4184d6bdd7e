-- Under which appearance somebody acts in a case, and which appearances ended: their end is read in filing's log as well, since
-- nothing follows a rejection in the log of cases. Cases from before have none: their end is read in the log of cases alone.
SET LOCAL lock_timeout = '5s';

CREATE TABLE representation (
    representation_id uuid    PRIMARY KEY,
    ended             boolean NOT NULL DEFAULT false
);

ALTER TABLE matter ADD COLUMN representation_id uuid;
CREATE INDEX matter_of_representation ON matter (representation_id) WHERE representation_id IS NOT NULL;
