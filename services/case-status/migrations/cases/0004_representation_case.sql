-- The cases that an appearance was made for, so that its end reaches all of them.
SET lock_timeout = '5s';

CREATE TABLE representation_case (
    representation_id uuid NOT NULL,
    case_id           uuid NOT NULL,
    PRIMARY KEY (representation_id, case_id)
);
