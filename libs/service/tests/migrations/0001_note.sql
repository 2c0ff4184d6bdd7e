-- A table of the service under test.
CREATE TABLE note (id uuid PRIMARY KEY, text text NOT NULL);
