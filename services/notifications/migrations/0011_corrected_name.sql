-- The event of a case that corrected the party's name: notices print that name, which the owner of the log of cases opens.
SET LOCAL lock_timeout = '5s';

ALTER TABLE matter ADD COLUMN name_from uuid;
