-- A filing that intake rejected is kept by the office of intake, which is written to about it: so from now on, and so of those before.
SET LOCAL lock_timeout = '5s';

UPDATE matter SET office = 'NBC'
WHERE office = '' AND EXISTS (SELECT FROM notice WHERE notice.case_id = matter.case_id AND notice_kind = 'rejection');
