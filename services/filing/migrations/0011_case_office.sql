-- Where a case is with the office, from the log of cases: whoever decides at intake, and supervisors, read what was filed.
-- A case opened before this table was there has a row once it is accepted.
SET LOCAL lock_timeout = '5s';

CREATE TABLE case_office (
    case_id   uuid    PRIMARY KEY,
    -- The office's code.
    office    text    NOT NULL,
    -- Received, and neither accepted nor rejected.
    at_intake boolean NOT NULL
);
