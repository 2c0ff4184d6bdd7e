-- Who is expected at a site, whatever the office has to do meanwhile.
SET lock_timeout = '5s';

CREATE INDEX case_row_a_expected ON case_row_a (site) WHERE site <> '';
CREATE INDEX case_row_b_expected ON case_row_b (site) WHERE site <> '';
