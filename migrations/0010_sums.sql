-- What reports add up, without reading the charges: members by month, everything else by day. Whoever
-- wanted the months by model got them row by row; nobody asks for a member's models any more.
ALTER TABLE usage_month RENAME TO usage_month_by_model;
DROP INDEX usage_month_by_user;

CREATE TABLE usage_month (
    guild_id BIGINT NOT NULL,
    month TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    charges BIGINT NOT NULL,
    pictures BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    PRIMARY KEY (guild_id, month, user_id)
);
CREATE INDEX usage_month_by_user ON usage_month (user_id);

INSERT INTO usage_month (guild_id, month, user_id, charges, pictures, spent)
SELECT guild_id, month, user_id, CAST(SUM(charges) AS BIGINT), CAST(SUM(pictures) AS BIGINT),
    CAST(SUM(spent) AS BIGINT)
FROM usage_month_by_model GROUP BY guild_id, month, user_id;

DROP TABLE usage_month_by_model;

-- The days are added up anew from the charges, which are never deleted.
DROP TABLE usage_day;

CREATE TABLE usage_day (
    guild_id BIGINT NOT NULL,
    kind TEXT NOT NULL,                   -- what its sums are of: a channel, command, model or role
    day TEXT NOT NULL,
    name TEXT NOT NULL,                   -- a model, a command, or an id; 0: none
    charges BIGINT NOT NULL,
    pictures BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    jobs BIGINT NOT NULL,                 -- with nothing left open, where its last charge counts
    finished BIGINT NOT NULL,             -- charges that were sent, and have ended
    succeeded BIGINT NOT NULL,            -- those of them that brought a picture
    PRIMARY KEY (guild_id, kind, day, name)
);

CREATE TABLE usage_told AS
SELECT charge.guild_id AS guild_id, job.day_label AS day, charge.channel_id AS channel,
    charge.command AS command, charge.model AS model, COALESCE(limit_role, 0) AS role,
    COUNT(actual) AS charges,
    SUM(CASE WHEN actual IS NULL THEN 0 ELSE charge.pictures END) AS pictures,
    SUM(COALESCE(actual, 0)) AS spent,
    SUM(CASE WHEN place = 0 AND open_charges = 0 THEN 1 ELSE 0 END) AS jobs,
    SUM(CASE WHEN closed_at IS NULL OR (state = 'released' AND prior_state = 'held')
        THEN 0 ELSE 1 END) AS finished,
    SUM(CASE WHEN state = 'settled' AND charge.pictures > 0 THEN 1 ELSE 0 END) AS succeeded
FROM charge JOIN job ON job.id = job_id
GROUP BY charge.guild_id, job.day_label, charge.channel_id, charge.command, charge.model,
    COALESCE(limit_role, 0);

INSERT INTO usage_day (guild_id, kind, day, name, charges, pictures, spent, jobs, finished, succeeded)
SELECT guild_id, kind, day, name, CAST(SUM(charges) AS BIGINT), CAST(SUM(pictures) AS BIGINT),
    CAST(SUM(spent) AS BIGINT), CAST(SUM(jobs) AS BIGINT), CAST(SUM(finished) AS BIGINT),
    CAST(SUM(succeeded) AS BIGINT)
FROM (
    SELECT 'channel' AS kind, CASE WHEN guild_id = 0 THEN '0' ELSE CAST(channel AS TEXT) END AS name,
        usage_told.* FROM usage_told
    UNION ALL SELECT 'command', command, usage_told.* FROM usage_told
    UNION ALL SELECT 'model', model, usage_told.* FROM usage_told
    UNION ALL SELECT 'role', CAST(role AS TEXT), usage_told.* FROM usage_told
) AS told
GROUP BY guild_id, kind, day, name;

DROP TABLE usage_told;
