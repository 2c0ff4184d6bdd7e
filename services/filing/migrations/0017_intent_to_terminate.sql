-- A notice of intent to terminate asks for an answer too. What such a notice parked is applied at the next try or a redrive.
SET LOCAL lock_timeout = '5s';

ALTER TABLE waiting_request DROP CONSTRAINT waiting_request_request_kind_check;
ALTER TABLE waiting_request ADD CONSTRAINT waiting_request_request_kind_check
    CHECK (request_kind IN ('rfe', 'noid', 'n14', 'noir', 'noit', 'own_motion'));
