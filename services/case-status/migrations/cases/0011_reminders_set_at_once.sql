-- Where nothing was written yet, nothing was served before there were reminders.
SET LOCAL lock_timeout = '5s';

UPDATE reminders_set SET until = 0 WHERE until IS NULL AND NOT EXISTS (SELECT FROM log.event);
