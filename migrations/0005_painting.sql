-- Masks that people painted: small PNG files, kept as long as a button may need them again.
CREATE TABLE mask (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    data BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX mask_by_expiry ON mask (expires_at);
CREATE INDEX mask_by_user ON mask (user_id);

-- Links to the mask painter. Member, guild, channel and picture never change, so that who signs the
-- id signs them all. What may be personal is emptied when the link is used.
CREATE TABLE paint_link (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    guild_id BIGINT NOT NULL,             -- 0: a direct message
    channel_id BIGINT NOT NULL,           -- whose limits apply
    is_private BIGINT NOT NULL,
    draft TEXT NOT NULL,                  -- JSON, written and read by bot/painting.py; no private prompt
    application_id BIGINT NOT NULL,
    reply_channel BIGINT NOT NULL,        -- where the result is posted
    upload_limit BIGINT NOT NULL,
    parent_id BIGINT,                     -- the job whose result is edited
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    mask_id BIGINT,                       -- what was painted when the last Generate was refused
    job_id BIGINT                         -- the job that used the link up; NULL until then
);
CREATE INDEX paint_link_by_expiry ON paint_link (expires_at);
CREATE INDEX paint_link_by_user ON paint_link (user_id);
