-- What people read of cases: rows written from the one fold of a case's stream, and nothing else.
SET lock_timeout = '5s';

CREATE TABLE case_row (
    case_id uuid PRIMARY KEY,
    receipt_number text NOT NULL,
    party uuid,
    officer uuid,
    office text NOT NULL,
    -- Office at which the person is expected next; empty when nowhere.
    site text NOT NULL,
    stage text NOT NULL,
    -- What the office has to do, and since when; empty when nothing.
    task text NOT NULL,
    waiting_since_us bigint NOT NULL,
    submitted_at_us bigint NOT NULL,
    -- The last event, and the last one that changed what a party sees.
    version bigint NOT NULL,
    changed_at_us bigint NOT NULL,
    party_version bigint NOT NULL,
    party_changed_at_us bigint NOT NULL,
    -- The fold of the case, without personal data.
    state jsonb NOT NULL
);

CREATE UNIQUE INDEX case_row_receipt ON case_row (receipt_number) WHERE receipt_number <> '';
CREATE INDEX case_row_party ON case_row (party, party_changed_at_us DESC);
CREATE INDEX case_row_officer ON case_row (officer, changed_at_us DESC);
CREATE INDEX case_row_office ON case_row (office, changed_at_us DESC);
CREATE INDEX case_row_task ON case_row (office, submitted_at_us) WHERE task <> '';
CREATE INDEX case_row_site ON case_row (site, task) WHERE task <> '';

CREATE TABLE timeline (
    case_id uuid NOT NULL,
    version bigint NOT NULL,
    kind text NOT NULL,
    text_id text NOT NULL,
    facts jsonb NOT NULL,
    office_only boolean NOT NULL,
    recorded_at_us bigint NOT NULL,
    PRIMARY KEY (case_id, version)
);
