-- What the office asks about a decision of its own: a notice of intent to revoke, and a case that it reopened.
SET LOCAL lock_timeout = '5s';

ALTER TABLE waiting_request DROP CONSTRAINT waiting_request_request_kind_check;
ALTER TABLE waiting_request ADD CONSTRAINT waiting_request_request_kind_check
    CHECK (request_kind IN ('rfe', 'noid', 'n14', 'noir', 'own_motion'));
