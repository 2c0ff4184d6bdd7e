-- Who holds which role, folded from the identity log by every service for itself.
CREATE TABLE access.role (
    account uuid NOT NULL,
    role text COLLATE "C" NOT NULL,
    office text COLLATE "C" NOT NULL,
    PRIMARY KEY (account, role, office)
);
