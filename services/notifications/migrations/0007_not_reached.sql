-- Of which notice an alert tells, none for those from before it was kept and for what is no notice; and why it did not arrive: an
-- address from which mail comes back is known by the last of its account that was settled.
SET LOCAL lock_timeout = '5s';

ALTER TABLE delivery ADD COLUMN notice_id uuid;
ALTER TABLE delivery ADD COLUMN reason text NOT NULL DEFAULT '';
