-- Where the projection is built again from the log, beside the rows in use.
SET lock_timeout = '5s';

CREATE TABLE case_row_rebuilt (LIKE case_row INCLUDING ALL);
CREATE TABLE timeline_rebuilt (LIKE timeline INCLUDING ALL);
