-- What consumers have seen, by its link: another history at the same positions is noticed though nobody raised the log's
-- epoch, and though the broker has nothing to compare it with.

-- The link of the event at `link_position`, the checkpoint's own when it was last moved. NULL where it was made or moved
-- before links were kept, or set back since.
ALTER TABLE log.consumer_checkpoint ADD COLUMN link bytea, ADD COLUMN link_position bigint;

-- NULL where the event was parked before links were kept.
ALTER TABLE log.parked ADD COLUMN link bytea;

-- Beside `log.grant_app`.
CREATE FUNCTION log.grant_links(app_role name) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('GRANT UPDATE (link, link_position) ON log.consumer_checkpoint TO %I', app_role);
END;
$$;
