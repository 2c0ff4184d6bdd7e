-- Whether a case of a package is a derivative's, for the link with its principal's (INA 203(d)). Those from before say nothing of it.
SET LOCAL lock_timeout = '5s';

ALTER TABLE package_case ADD COLUMN derivative boolean NOT NULL DEFAULT false;
