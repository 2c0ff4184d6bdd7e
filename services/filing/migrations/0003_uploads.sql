-- Uploads that are under way. Rows and sealed objects, not events: what becomes of one is told by the evidence's event.
SET LOCAL lock_timeout = '5s';

CREATE TABLE upload (
    upload_id     uuid   PRIMARY KEY,
    -- `filings/<uuid>` or `responses/<uuid>`.
    parent        text   COLLATE "C" NOT NULL,
    -- What was announced, with the file's name and hash: sealed with the filing's key.
    announced     bytea  NOT NULL,
    size          bigint NOT NULL CHECK (size > 0),
    -- Bytes that are here, in parts without gaps.
    received      bigint NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND size),
    -- Who holds the latest turn sends; earlier ones are fenced off.
    turn          bigint NOT NULL DEFAULT 1,
    begun_at_us   bigint NOT NULL,
    expires_at_us bigint NOT NULL
);
CREATE INDEX upload_of_parent ON upload (parent, begun_at_us);
CREATE INDEX upload_expiry ON upload (expires_at_us);

CREATE TABLE upload_part (
    upload_id  uuid   NOT NULL REFERENCES upload (upload_id) ON DELETE CASCADE,
    at         bigint NOT NULL,
    -- Where its sealed bytes lie.
    object_key text   NOT NULL,
    PRIMARY KEY (upload_id, at)
);
