-- Requests to release a person from the account they are linked to: asked by one records officer, approved by another, or lapsed.
CREATE TABLE release (
    id             uuid   PRIMARY KEY,
    person_id      uuid   NOT NULL,
    -- The account that the person is linked to, and the one that they are to be kept for.
    linked_to      uuid   NOT NULL,
    account_id     uuid   NOT NULL,
    reason         text   NOT NULL,
    asked_by       uuid   NOT NULL,
    expires_at_us  bigint NOT NULL,
    approved_at_us bigint
);

CREATE INDEX release_of_person ON release (person_id) WHERE approved_at_us IS NULL;
