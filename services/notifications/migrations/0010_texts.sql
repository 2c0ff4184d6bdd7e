-- Texts beside mail. None of these rows holds a number: it stands sealed in the log, and here only a keyed hash of it, by which a reply from
-- it finds its account.
SET LOCAL lock_timeout = '5s';

-- Where texts go, or went until a reply ended them.
CREATE TABLE text_line (
    account_id uuid    PRIMARY KEY,
    number_id  uuid    NOT NULL,
    number_key bytea   NOT NULL CHECK (octet_length(number_key) = 32),
    state      text    NOT NULL CHECK (state IN ('on', 'stopped')),
    -- How many texts in a row did not arrive.
    failures   integer NOT NULL DEFAULT 0 CHECK (failures >= 0)
);
CREATE INDEX text_line_of_number ON text_line (number_key);

-- Codes that went to numbers in the last days.
CREATE TABLE text_code (
    number_id   uuid    PRIMARY KEY,
    account_id  uuid    NOT NULL,
    number_key  bytea   NOT NULL CHECK (octet_length(number_key) = 32),
    -- The event of its being given, of which the text with the code tells.
    event_id    uuid    NOT NULL UNIQUE,
    tries       integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    asked_at_us bigint  NOT NULL
);
CREATE INDEX text_code_of_account ON text_code (account_id, asked_at_us);
CREATE INDEX text_code_of_number ON text_code (number_key, asked_at_us);
CREATE INDEX text_code_by_age ON text_code (asked_at_us);

-- Texts that the carrier has, by its id, as long as it is asked what became of them.
CREATE TABLE text_sent (
    delivery_id  uuid    PRIMARY KEY,
    carrier_id   text    NOT NULL UNIQUE,
    looks        integer NOT NULL DEFAULT 0,
    next_look_us bigint  NOT NULL
);
CREATE INDEX text_sent_next ON text_sent (next_look_us, delivery_id);

-- Replies that were heard, by the carrier's id, as long as the carrier is asked for that day.
CREATE TABLE text_reply (
    carrier_id  text   PRIMARY KEY,
    heard_at_us bigint NOT NULL
);
CREATE INDEX text_reply_by_age ON text_reply (heard_at_us);

-- Numbers from which somebody said that they want no texts, by the same keyed hash, until they want them again: also those to which only a
-- code went, for whatever account.
CREATE TABLE text_refused (
    number_key bytea  PRIMARY KEY CHECK (octet_length(number_key) = 32),
    since_us   bigint NOT NULL
);

-- How often a network asked for a code, by a keyed hash of the day and its address. What is lost in a crash is no loss, so it is not logged.
CREATE UNLOGGED TABLE text_turn (
    key        bytea  PRIMARY KEY,
    on_date    date   NOT NULL,
    free_at_us bigint NOT NULL
);
CREATE INDEX text_turn_on_date ON text_turn (on_date);

-- Texts wait in the ledger in a state of their own: a replica from before there were any, which mails all that is queued, passes them over.
-- What stands there was held to the narrower of the two, so nobody looks at it again.
ALTER TABLE delivery DROP CONSTRAINT delivery_state_check;
ALTER TABLE delivery ADD CONSTRAINT delivery_state_check
    CHECK (state IN ('queued', 'to_text', 'handed_over', 'failed')) NOT VALID;
CREATE INDEX delivery_to_text ON delivery (next_at_us, delivery_id) WHERE state = 'to_text';

-- Whether the person of a case says that it is protected (8 USC 1367): they are sent no texts. NULL where that is not known yet, as of cases
-- from before, and of those that a replica from before writes down: nor are they, until it is read in the log of cases.
ALTER TABLE matter ADD COLUMN protected boolean;
CREATE INDEX matter_without_texts ON matter (account_id) WHERE protected IS NOT FALSE;
