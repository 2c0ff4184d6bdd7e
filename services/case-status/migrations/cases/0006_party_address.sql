-- The event of identity that each party's address of record comes from, and when the address was given: what may be confirmed. No
-- address stands here.
SET lock_timeout = '5s';

CREATE TABLE party_address (
    account_id  uuid   PRIMARY KEY,
    event_id    uuid   NOT NULL,
    given_at_us bigint NOT NULL
);
