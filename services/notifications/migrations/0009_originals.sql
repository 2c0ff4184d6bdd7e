-- Who has the original of a notice where the party and who acts for them are both told, as Form G-28 says (8 CFR 103.2(b)(19)). Of
-- notices from before nothing is said.
SET LOCAL lock_timeout = '5s';

ALTER TABLE matter ADD COLUMN notices_to_representative boolean NOT NULL DEFAULT false;
ALTER TABLE matter ADD COLUMN i94_to_client boolean NOT NULL DEFAULT false;
-- Account that has it; the other one of the two has the copy.
ALTER TABLE notice ADD COLUMN original_account uuid;
