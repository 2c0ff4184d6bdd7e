-- The nightly reading of all files: how far it is, and what it found damaged. No personal data.
SET LOCAL lock_timeout = '5s';

-- One row: the pass that runs or ran last. Who has it works on a batch until `claimed_until_us`.
CREATE TABLE file_scrub (
    single           boolean PRIMARY KEY DEFAULT true CHECK (single),
    began_at_us      bigint  NOT NULL,
    -- Filings up to here are read.
    up_to            uuid    NOT NULL,
    ended_at_us      bigint,
    claimed_until_us bigint  NOT NULL
);

-- Until it is found whole again.
CREATE TABLE damaged_file (
    object_key  text   COLLATE "C" PRIMARY KEY,
    filing_id   uuid   NOT NULL,
    evidence_id uuid   NOT NULL,
    fault       text   NOT NULL CHECK (fault IN ('missing', 'altered', 'another')),
    found_at_us bigint NOT NULL
);
