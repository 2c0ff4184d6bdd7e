-- Files that came while the virus scanner was away and wait to be scanned. No personal data.
SET LOCAL lock_timeout = '5s';

CREATE TABLE unscanned (
    evidence_id    uuid    PRIMARY KEY,
    -- `filings/<uuid>` or `responses/<uuid>`.
    parent         text    COLLATE "C" NOT NULL,
    object_key     text    NOT NULL,
    received_at_us bigint  NOT NULL,
    -- Not looked at before.
    next_at_us     bigint  NOT NULL,
    -- How often the scanner failed over it, though it had been found able to scan just before.
    failed         integer NOT NULL DEFAULT 0,
    -- Not clean: it is nobody's any more, and its object is to be taken away.
    refused        boolean NOT NULL DEFAULT false
);
CREATE INDEX unscanned_next ON unscanned (next_at_us);
