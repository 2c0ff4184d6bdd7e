-- A co-signer finds the draft to be signed with a code as helpers do.
SET LOCAL lock_timeout = '5s';

ALTER TABLE helper_code DROP CONSTRAINT helper_code_role_check;
ALTER TABLE helper_code ADD CONSTRAINT helper_code_role_check
    CHECK (role IN ('interpreter', 'preparer', 'co_signer'));
