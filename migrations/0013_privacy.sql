-- How many days a guild keeps words and links to pictures (NULL: as the operator says, 0: for good),
-- the time until which that is done, and since when the bot is no member of the guild any more.
ALTER TABLE guild ADD COLUMN retention_days BIGINT CHECK (retention_days >= 0);
ALTER TABLE guild ADD COLUMN retained_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE guild ADD COLUMN left_at BIGINT;

-- What others have made from a job, to be looked through when its person is erased.
CREATE INDEX job_by_parent ON job (parent_id) WHERE parent_id IS NOT NULL;

-- The bot's messages that an erased person wants deleted from Discord, and where it is told how far
-- that is. It says nothing of the person, and is gone after a day.
CREATE TABLE removal (
    id BIGINT NOT NULL PRIMARY KEY,
    asked_at BIGINT NOT NULL,
    reply_application BIGINT NOT NULL,
    reply_token TEXT NOT NULL,
    reply_expires_at BIGINT NOT NULL,
    reply_channel BIGINT NOT NULL,
    reply_message BIGINT NOT NULL,
    deleted BIGINT NOT NULL DEFAULT 0,
    refused BIGINT NOT NULL DEFAULT 0,
    leased_until BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE removal_message (
    removal_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    PRIMARY KEY (removal_id, message_id)
);
