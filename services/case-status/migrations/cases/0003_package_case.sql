-- The cases of each package, for the links between them.
SET lock_timeout = '5s';

CREATE TABLE package_case (
    package_id uuid NOT NULL,
    case_id    uuid NOT NULL,
    form       text NOT NULL,
    party      uuid NOT NULL,
    PRIMARY KEY (package_id, case_id)
);
