-- When the filing was submitted that gives the address which the notices of a case print: they wait until identity has it. 0 where
-- none is to come, as in cases from before.
SET LOCAL lock_timeout = '5s';

ALTER TABLE matter ADD COLUMN address_given_at_us bigint NOT NULL DEFAULT 0;
