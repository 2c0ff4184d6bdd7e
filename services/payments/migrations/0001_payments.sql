-- What is not an event: attempts at the processor, the ledger, who pays what.
SET lock_timeout = '2s';

-- Written before the processor is asked, settled after its answer. One may be open for a payment at a time.
CREATE TABLE attempt (
    attempt_id     uuid PRIMARY KEY,
    payment_id     uuid NOT NULL,
    amount_cents   bigint NOT NULL CHECK (amount_cents > 0),
    method_token   text NOT NULL,
    started_at_us  bigint NOT NULL,
    outcome        text CHECK (outcome IN ('settled', 'refused')),
    tries          integer NOT NULL DEFAULT 0,
    next_try_at_us bigint NOT NULL
);
CREATE INDEX attempt_open ON attempt (next_try_at_us) WHERE outcome IS NULL;

-- Refunds on their way: written before the processor is asked, closed after its answer.
CREATE TABLE refund (
    refund_id           uuid PRIMARY KEY,
    payment_id          uuid NOT NULL,
    filing_id           uuid NOT NULL,
    amount_cents        bigint NOT NULL CHECK (amount_cents > 0),
    processor_reference text NOT NULL,
    issued              boolean NOT NULL DEFAULT false,
    next_try_at_us      bigint NOT NULL
);
CREATE INDEX refund_open ON refund (next_try_at_us) WHERE NOT issued;

-- Who pays which payment, and which filings it is for.
CREATE TABLE payer (
    payment_id   uuid PRIMARY KEY,
    account_id   uuid NOT NULL,
    opened_at_us bigint NOT NULL
);
CREATE INDEX payer_account ON payer (account_id, opened_at_us DESC);

CREATE TABLE filing (
    filing_id  uuid PRIMARY KEY,
    payment_id uuid NOT NULL
);

-- Double entry: the postings of one event add up to zero. Debit is positive.
CREATE TABLE posting (
    event_id       uuid NOT NULL,
    line           smallint NOT NULL,
    payment_id     uuid NOT NULL,
    ledger_account text NOT NULL CHECK (ledger_account IN ('processor_receivable', 'fees_received')),
    amount_cents   bigint NOT NULL,
    recorded_at_us bigint NOT NULL,
    PRIMARY KEY (event_id, line)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only';
END $$;
CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
