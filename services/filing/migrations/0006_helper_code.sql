-- With which code a helper, an interpreter or a preparer, finds the draft to be signed. Written with the event; no personal data.
SET LOCAL lock_timeout = '5s';

CREATE TABLE helper_code (
    filing_id uuid  NOT NULL REFERENCES filing (filing_id),
    role      text  NOT NULL CHECK (role IN ('interpreter', 'preparer')),
    -- Keyed hash of the code asked for last. Whether it still opens anything is told by the log.
    code_mac  bytea NOT NULL UNIQUE,
    PRIMARY KEY (filing_id, role)
);
