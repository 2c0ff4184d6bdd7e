-- Appearances of representatives, and which of them a filing is prepared under. Written with the events; no personal data.
SET LOCAL lock_timeout = '5s';

CREATE TABLE representation (
    representation_id uuid   PRIMARY KEY,
    representative    uuid   NOT NULL,
    -- None before consent.
    client            uuid,
    -- SHA-256 of the client's code.
    code_hash         bytea  NOT NULL UNIQUE,
    standing          text   NOT NULL CHECK (standing IN ('prepared', 'active', 'refused', 'withdrawn', 'ended')),
    prepared_at_us    bigint NOT NULL
);
CREATE INDEX representation_of_representative ON representation (representative, prepared_at_us DESC);
CREATE INDEX representation_of_client ON representation (client, prepared_at_us DESC);

ALTER TABLE filing ADD COLUMN representation_id uuid REFERENCES representation (representation_id);
CREATE INDEX filing_of_representation ON filing (representation_id) WHERE representation_id IS NOT NULL;

-- What a filing is filed together with. Those from before have none: each went alone.
ALTER TABLE filing ADD COLUMN package_id uuid;
CREATE INDEX filing_of_package ON filing (package_id) WHERE package_id IS NOT NULL;

-- Which case a response is in. Those from before have none: nobody was represented then.
ALTER TABLE response ADD COLUMN case_id uuid;
CREATE INDEX response_of_case ON response (case_id) WHERE case_id IS NOT NULL;
