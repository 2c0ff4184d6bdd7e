-- Who acts for the party of a case: sees what the party sees.
SET lock_timeout = '5s';

ALTER TABLE case_row_a ADD COLUMN representative uuid;
ALTER TABLE case_row_b ADD COLUMN representative uuid;
CREATE INDEX case_row_a_representative ON case_row_a (representative) WHERE representative IS NOT NULL;
CREATE INDEX case_row_b_representative ON case_row_b (representative) WHERE representative IS NOT NULL;

CREATE OR REPLACE VIEW case_row AS
    SELECT * FROM case_row_a WHERE (SELECT live = 'a' FROM projection WHERE name = 'status')
    UNION ALL
    SELECT * FROM case_row_b WHERE (SELECT live = 'b' FROM projection WHERE name = 'status');
