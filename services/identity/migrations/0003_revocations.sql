-- Requests to take a role away: asked by one operator, approved by another, or lapsed.
CREATE TABLE revocation (
    id             uuid   PRIMARY KEY,
    account_id     uuid   NOT NULL,
    role           text   NOT NULL,
    office         text   NOT NULL,
    reason         text   NOT NULL,
    asked_by       uuid   NOT NULL,
    expires_at_us  bigint NOT NULL,
    approved_at_us bigint
);

CREATE INDEX revocation_of_account ON revocation (account_id) WHERE approved_at_us IS NULL;
