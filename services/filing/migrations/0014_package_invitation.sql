-- With which code somebody answers who is asked to file a form in a package, and which filing they began. Written with the events; no
-- personal data.
SET LOCAL lock_timeout = '5s';

CREATE TABLE package_invitation (
    package_id uuid   NOT NULL,
    -- Which of the package's, from 1.
    number     bigint NOT NULL CHECK (number > 0),
    -- Keyed hash of the code. Whether it still opens anything is told by the log.
    code_mac   bytea  NOT NULL UNIQUE,
    -- The filing that was begun with it.
    filing_id  uuid   UNIQUE REFERENCES filing (filing_id),
    PRIMARY KEY (package_id, number)
);
