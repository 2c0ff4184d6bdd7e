-- A new authenticator app that was begun and is to be confirmed, in the place of one that is lost.
CREATE TABLE totp_replacement (
    account_id     uuid   PRIMARY KEY,
    -- Under the account's key, as `totp.secret_sealed`.
    secret_sealed  bytea  NOT NULL,
    -- Tells the request that began it from another one.
    begun_with     bytea  NOT NULL,
    -- The request that confirmed it, which may be repeated.
    confirmed_with bytea,
    expires_at_us  bigint NOT NULL
);
