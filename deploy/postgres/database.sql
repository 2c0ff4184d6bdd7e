-- One database with its roles; may be run again. Run by deploy/postgres/setup with psql's variables `name` and `secrets`.
--   <name>_owner    owns every table; nobody signs in as it
--   <name>_migrate  signs in for `migrate` only, and is the owner from its first statement on
--   <name>_app      the service; what it may do to which table, the migrations grant: add to the log, never change it
--   <name>_ro       reads the log, whose personal fields are sealed; for people, who are made members of it
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\set owner :name _owner
\set migrate :name _migrate
\set app :name _app
\set ro :name _ro
\set migrate_file :secrets /pg_ :name _migrate
\set app_file :secrets /pg_ :name _app
\set migrate_password `cat :'migrate_file'`
\set app_password `cat :'app_file'`

SELECT format('CREATE ROLE %I', role)
FROM unnest(ARRAY[:'owner', :'migrate', :'app', :'ro']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
ALTER ROLE :"owner" NOLOGIN;
ALTER ROLE :"ro" NOLOGIN;
ALTER ROLE :"migrate" LOGIN NOINHERIT PASSWORD :'migrate_password' CONNECTION LIMIT 8;
ALTER ROLE :"app" LOGIN PASSWORD :'app_password';

SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"name" TO :"migrate", :"app", :"ro";
GRANT :"owner" TO :"migrate" WITH INHERIT FALSE, SET TRUE;
ALTER ROLE :"migrate" IN DATABASE :"name" SET role = :'owner';
-- An index or a check that waits for a lock makes everybody behind it wait as well.
ALTER ROLE :"migrate" IN DATABASE :"name" SET lock_timeout = '5s';
ALTER ROLE :"migrate" IN DATABASE :"name" SET statement_timeout = '10min';

\connect :name
SET client_min_messages = warning;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO :"owner";
-- Keys are read by nobody but the service.
SELECT :'name' LIKE '%\_keys' AS keys \gset
\if :keys
\else
CREATE SCHEMA IF NOT EXISTS log AUTHORIZATION :"owner";
GRANT USAGE ON SCHEMA log TO :"ro";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA log GRANT SELECT ON TABLES TO :"ro";
\endif
