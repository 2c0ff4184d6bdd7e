-- Who acts for the party of a case, and which case a delivery is about: one who acts no longer is sent nothing more.
SET LOCAL lock_timeout = '5s';

ALTER TABLE matter ADD COLUMN representative uuid;
ALTER TABLE delivery ADD COLUMN case_id uuid;
