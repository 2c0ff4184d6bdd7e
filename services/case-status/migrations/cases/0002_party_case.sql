-- The cases of each party, for what concerns all of them.
SET lock_timeout = '5s';

CREATE TABLE party_case (
    account_id uuid NOT NULL,
    case_id    uuid NOT NULL,
    PRIMARY KEY (account_id, case_id)
);

-- Whether the cases from before this table were noted: the first process to serve with it does that.
CREATE TABLE party_case_noted (one boolean PRIMARY KEY DEFAULT true CHECK (one));
