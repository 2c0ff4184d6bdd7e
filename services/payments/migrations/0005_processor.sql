-- Which processor was asked: a reference is one of its own. Of those from before it was the only one there was, which is no name here.
SET lock_timeout = '2s';

ALTER TABLE attempt ADD COLUMN processor text NOT NULL DEFAULT '';
ALTER TABLE refund ADD COLUMN processor text NOT NULL DEFAULT '';
