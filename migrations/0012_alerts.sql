-- A threshold is claimed (sent_at) before it is told (told_at): what a process claimed and did not
-- live to tell is told by another one, by way of the job that had reached it.
ALTER TABLE budget_alert ADD COLUMN job_id BIGINT;
ALTER TABLE budget_alert ADD COLUMN told_at BIGINT;
UPDATE budget_alert SET told_at = sent_at;
-- Looked for at every sweep: few among all that was ever told.
CREATE INDEX budget_alert_untold ON budget_alert (sent_at) WHERE told_at IS NULL;
