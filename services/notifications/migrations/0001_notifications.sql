-- The few rows of notifications that are not events. All but the queues can be written again from the logs;
-- none holds personal data: names and addresses are asked for at the moment they are needed.
SET LOCAL lock_timeout = '5s';

-- Whose case it is and what it is called, from the log of cases.
CREATE TABLE matter (
    case_id        uuid PRIMARY KEY,
    account_id     uuid NOT NULL,
    form           text NOT NULL,
    receipt_number text NOT NULL DEFAULT '',
    receipt_date   text NOT NULL,
    office         text NOT NULL DEFAULT '',
    zone           text NOT NULL,
    officer        uuid
);

-- Notices that are owed and not issued yet. `event` is the stored record of the event that owes it.
CREATE TABLE owed_notice (
    notice_id   uuid   PRIMARY KEY,
    case_id     uuid   NOT NULL,
    notice_kind text   NOT NULL,
    event       bytea  NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    next_at_us  bigint NOT NULL
);
CREATE INDEX owed_notice_next ON owed_notice (next_at_us, notice_id);

-- Issued notices by account, as the inbox lists them.
CREATE TABLE notice (
    notice_id      uuid   NOT NULL,
    account_id     uuid   NOT NULL,
    case_id        uuid   NOT NULL,
    notice_kind    text   NOT NULL,
    official_name  text   NOT NULL,
    posted_at_us   bigint NOT NULL,
    served_on_date text   NOT NULL,
    object_key     text   NOT NULL,
    size_bytes     bigint NOT NULL,
    opened         boolean NOT NULL DEFAULT false,
    PRIMARY KEY (notice_id, account_id)
);
CREATE INDEX notice_of_account ON notice (account_id, posted_at_us DESC, notice_id DESC);

-- The ledger of deliveries: written before anything is sent, settled after.
CREATE TABLE delivery (
    delivery_id    uuid    PRIMARY KEY,
    about_event    uuid    NOT NULL,
    correlation_id uuid    NOT NULL,
    account_id     uuid    NOT NULL,
    channel        text    NOT NULL CHECK (channel IN ('email', 'sms')),
    alert          text    NOT NULL,
    state          text    NOT NULL CHECK (state IN ('queued', 'handed_over', 'failed')),
    attempts       integer NOT NULL DEFAULT 0,
    next_at_us     bigint  NOT NULL,
    changed_at_us  bigint  NOT NULL,
    UNIQUE (about_event, account_id, channel)
);
CREATE INDEX delivery_queued ON delivery (next_at_us, delivery_id) WHERE state = 'queued';
CREATE INDEX delivery_of_account ON delivery (account_id, changed_at_us DESC, delivery_id DESC);

-- Conversations of a case; their texts are sealed in the log.
CREATE TABLE thread (
    thread_id     uuid   PRIMARY KEY,
    case_id       uuid   NOT NULL,
    account_id    uuid   NOT NULL,
    topic         text   NOT NULL,
    started_at_us bigint NOT NULL
);
CREATE INDEX thread_of_case ON thread (case_id, started_at_us DESC, thread_id DESC);
CREATE INDEX thread_of_account ON thread (account_id, started_at_us);
