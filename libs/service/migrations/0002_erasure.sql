-- Erasures that identity has ordered and we have not answered yet; ids and codes only.
CREATE TABLE access.erasure (
    request uuid PRIMARY KEY,
    subject text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL,
    legal_basis text COLLATE "C" NOT NULL,
    asked_by text NOT NULL,
    asked_at_us bigint NOT NULL,
    approved_by text NOT NULL
);
