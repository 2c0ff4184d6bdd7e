-- Of several co-signers each finds their part of the draft with a code of their own: `co_signer:2` is the second one.
SET LOCAL lock_timeout = '5s';

ALTER TABLE helper_code DROP CONSTRAINT helper_code_role_check;
ALTER TABLE helper_code ADD CONSTRAINT helper_code_role_check
    CHECK (role IN ('interpreter', 'preparer', 'co_signer') OR role ~ '^co_signer:[1-9][0-9]{0,4}$');
