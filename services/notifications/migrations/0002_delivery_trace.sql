-- A delivery is part of the trace of the event that it tells of (W3C traceparent; empty: of none).
SET LOCAL lock_timeout = '5s';

ALTER TABLE delivery ADD COLUMN traceparent text NOT NULL DEFAULT '';
