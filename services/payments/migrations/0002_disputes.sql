-- Disputes: money the processor holds, and fees that were not honoured.
SET lock_timeout = '2s';

ALTER TABLE posting DROP CONSTRAINT posting_ledger_account_check;
ALTER TABLE posting ADD CONSTRAINT posting_ledger_account_check
    CHECK (ledger_account IN ('processor_receivable', 'fees_received', 'disputed', 'fees_owed')) NOT VALID;
ALTER TABLE posting VALIDATE CONSTRAINT posting_ledger_account_check;
