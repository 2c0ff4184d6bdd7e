-- When the tables of keys were written anew, and the order in which erasures were carried out.

-- The day that a certificate names rests on a scrub every day: each one leaves its instant.
CREATE TABLE vault.scrub (
    at_us bigint PRIMARY KEY
);
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON vault.scrub
    FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_change();

CREATE INDEX erasure_request_executed ON vault.erasure_request (executed_at_us, id)
    WHERE executed_at_us IS NOT NULL;
