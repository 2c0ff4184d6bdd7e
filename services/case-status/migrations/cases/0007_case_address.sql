-- The event of identity that the address of a case comes from which was filed for somebody else, such as a child: what may be
-- confirmed there, where that person has not moved since. No address stands here.
SET lock_timeout = '5s';

CREATE TABLE case_address (
    case_id  uuid PRIMARY KEY,
    event_id uuid NOT NULL
);
