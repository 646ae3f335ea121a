-- The counters that a job was admitted to, and is settled in even when their time is over: their ids
-- in the one global order of locking, the slot of an open job at the end. They were rows of a table,
-- which cost every job 29 rows that are never asked for apart from each other.
ALTER TABLE job ADD COLUMN pins TEXT NOT NULL DEFAULT '';

UPDATE job SET pins = (
    WITH RECURSIVE walk (place, pins) AS (
        SELECT CAST(-1 AS BIGINT), ''
        UNION ALL
        SELECT walk.place + 1, walk.pins || COALESCE(
            (SELECT ' ' || CAST(bucket_id AS TEXT) FROM job_bucket
             WHERE job_id = job.id AND place = walk.place + 1), '')
        FROM walk WHERE walk.place < 28
    )
    SELECT TRIM(pins) FROM walk WHERE place = 28
);

DROP TABLE job_bucket;
