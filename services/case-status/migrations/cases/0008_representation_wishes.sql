-- Where originals and documents go, as the client said last on Form G-28 or since (8 CFR 103.2(b)(19)). Read in the appearance's own
-- stream, which comes in another lane than that of the filing it stands for. Those from before have none: everything goes to the client.
SET LOCAL lock_timeout = '5s';

ALTER TABLE representation ADD COLUMN notices_to_representative boolean;
ALTER TABLE representation ADD COLUMN documents_to_representative boolean;
ALTER TABLE representation ADD COLUMN i94_to_client boolean;
