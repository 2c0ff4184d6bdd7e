-- The few rows of filing that are not events: who has which filing, which officer has which case.
-- All of them can be written again from the logs; none holds personal data.
SET LOCAL lock_timeout = '5s';

-- Whose filing it is, in the order in which they were begun (ids are UUIDv7).
CREATE TABLE filing (
    filing_id     uuid    PRIMARY KEY,
    account_id    uuid    NOT NULL,
    form          text    NOT NULL,
    started_at_us bigint  NOT NULL,
    -- Accepted and not decided yet: what the form's rules call linked.
    pending       boolean NOT NULL DEFAULT false
);
CREATE INDEX filing_of_account ON filing (account_id, filing_id DESC);

-- The officer a case is assigned to now, from the log of cases.
CREATE TABLE case_officer (
    case_id uuid PRIMARY KEY,
    officer uuid NOT NULL
);

-- A request of the office until it is served: what it asks for.
CREATE TABLE waiting_request (
    request_id   uuid   PRIMARY KEY,
    case_id      uuid   NOT NULL,
    request_kind text   NOT NULL CHECK (request_kind IN ('rfe', 'noid', 'n14')),
    items        text[] NOT NULL
);

-- Whose response it is.
CREATE TABLE response (
    response_id  uuid   PRIMARY KEY,
    account_id   uuid   NOT NULL,
    opened_at_us bigint NOT NULL
);
CREATE INDEX response_of_account ON response (account_id, opened_at_us DESC);
