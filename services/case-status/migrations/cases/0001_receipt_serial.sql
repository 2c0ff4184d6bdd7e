-- Serials of receipt numbers are leased in blocks from this one row; gaps are allowed, a serial never comes twice.
SET lock_timeout = '5s';

CREATE TABLE receipt_serial (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    next bigint NOT NULL CHECK (next BETWEEN 0 AND 1000000000)
);

INSERT INTO receipt_serial (next) VALUES (1);
