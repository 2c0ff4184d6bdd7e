-- Changes of the e-mail address of an account, asked for or made, as long as one of their two codes is good for something.
SET LOCAL lock_timeout = '5s';

CREATE TABLE email_change (
    id             uuid    PRIMARY KEY,
    account_id     uuid    NOT NULL,
    -- Keyed hash of the digits that were mailed to the new address; of nothing that anybody knows where none were.
    code_hash      bytea   NOT NULL CHECK (octet_length(code_hash) = 32),
    tries          integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    -- Hash of the code that was mailed to the address before.
    back_hash      bytea   NOT NULL UNIQUE CHECK (octet_length(back_hash) = 32),
    expires_at_us  bigint  NOT NULL,
    confirmed_at_us bigint
);

CREATE INDEX email_change_of_account ON email_change (account_id);
