-- What a registration said besides the password; it becomes the account's when its code is right. A registration from before said
-- nothing here, and lapses within a day. The address is sealed under the account's key.
ALTER TABLE registration ADD COLUMN language text;
ALTER TABLE registration ADD COLUMN zone text;
ALTER TABLE registration ADD COLUMN email_sealed bytea;
