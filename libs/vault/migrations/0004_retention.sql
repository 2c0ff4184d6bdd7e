-- Beside erasure by two people: by a rule of retention, of filings only. What the rule is stands where a person's account
-- would.
SET LOCAL lock_timeout = '5s';

DO $$
DECLARE found name;
BEGIN
    SELECT conname INTO STRICT found FROM pg_constraint
    WHERE conrelid = 'vault.erasure_request'::regclass AND contype = 'c'
      AND pg_get_constraintdef(oid) LIKE '%account:%';
    EXECUTE format('ALTER TABLE vault.erasure_request DROP CONSTRAINT %I', found);
END;
$$;
ALTER TABLE vault.erasure_request ADD CONSTRAINT erasure_request_decided CHECK (
    approved_by <> asked_by
    AND (approved_by LIKE 'account:%' OR (approved_by LIKE 'rule:%' AND subject LIKE 'filing:%')));
