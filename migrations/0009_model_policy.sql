-- Who may use which models, where and how, in one guild. Each change raises policy_version, so that
-- a job that was judged by an older policy is not admitted by it.
ALTER TABLE guild ADD COLUMN policy_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE guild ADD COLUMN default_model TEXT;
ALTER TABLE guild ADD COLUMN private_off BIGINT NOT NULL DEFAULT 0 CHECK (private_off IN (0, 1));

CREATE TABLE model_rule (
    guild_id BIGINT NOT NULL,
    reach TEXT NOT NULL,                  -- whom or what it is for: guild, role, channel
    subject_id BIGINT NOT NULL,           -- the role or channel; 0: the guild
    effect TEXT NOT NULL,
    pattern TEXT NOT NULL,
    set_by BIGINT NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (guild_id, reach, subject_id, effect, pattern)
);

-- Where pictures may be made; a guild without any allows them everywhere.
CREATE TABLE picture_channel (
    guild_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    set_by BIGINT NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (guild_id, channel_id)
);

CREATE TABLE blocked_phrase (
    guild_id BIGINT NOT NULL,
    phrase TEXT NOT NULL,
    set_by BIGINT NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (guild_id, phrase)
);
