-- The log's epoch in which a session began: one of an earlier epoch goes on no more, since the log was restored in between and with
-- it came back sessions that had ended. None: from before that was kept, which is the first epoch.
ALTER TABLE session ADD COLUMN epoch bigint;
