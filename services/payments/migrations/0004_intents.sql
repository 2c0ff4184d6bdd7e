-- What the processor calls what it was asked for, so that it is asked for once and looked at from then on; refunds whose money came
-- back; money that fits nothing, and losses.
SET lock_timeout = '2s';

ALTER TABLE attempt ADD COLUMN intent text NOT NULL DEFAULT '';
-- How often it was asked for; of attempts from before, it is known only that it may have been.
ALTER TABLE attempt ADD COLUMN asked integer NOT NULL DEFAULT 1;
ALTER TABLE attempt ALTER COLUMN asked SET DEFAULT 0;
CREATE INDEX attempt_intent ON attempt (intent) WHERE intent <> '';

ALTER TABLE refund ADD COLUMN came_back integer NOT NULL DEFAULT 0;

ALTER TABLE posting DROP CONSTRAINT posting_ledger_account_check;
ALTER TABLE posting ADD CONSTRAINT posting_ledger_account_check
    CHECK (ledger_account IN
        ('processor_receivable', 'fees_received', 'disputed', 'fees_owed', 'unexplained', 'losses')) NOT VALID;
ALTER TABLE posting VALIDATE CONSTRAINT posting_ledger_account_check;
