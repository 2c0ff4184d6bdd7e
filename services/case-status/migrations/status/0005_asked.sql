-- What the party waits to be answered, beside the task; and whether the case comes before others.
SET lock_timeout = '5s';

ALTER TABLE case_row_a ADD COLUMN answer text NOT NULL DEFAULT '', ADD COLUMN expedited boolean NOT NULL DEFAULT false;
ALTER TABLE case_row_b ADD COLUMN answer text NOT NULL DEFAULT '', ADD COLUMN expedited boolean NOT NULL DEFAULT false;
CREATE INDEX case_row_a_answer ON case_row_a (office, submitted_at_us) WHERE answer <> '';
CREATE INDEX case_row_b_answer ON case_row_b (office, submitted_at_us) WHERE answer <> '';

CREATE OR REPLACE VIEW case_row AS
    SELECT * FROM case_row_a WHERE (SELECT live = 'a' FROM projection WHERE name = 'status')
    UNION ALL
    SELECT * FROM case_row_b WHERE (SELECT live = 'b' FROM projection WHERE name = 'status');
