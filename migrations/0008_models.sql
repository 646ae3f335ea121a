-- What a person wants where a command does not say: in a guild, or (guild_id 0) wherever else.
-- NULL: nothing is set.
CREATE TABLE preference (
    user_id BIGINT NOT NULL,
    guild_id BIGINT NOT NULL,
    model TEXT,
    size TEXT,
    quality TEXT,
    output_format TEXT,
    is_private BIGINT CHECK (is_private IN (0, 1)),
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, guild_id)
);
CREATE INDEX preference_of_privacy ON preference (user_id) WHERE is_private IS NOT NULL;

-- For how long models take and how often they succeed, and for examples of what they make.
CREATE INDEX charge_by_close ON charge (closed_at);
CREATE INDEX job_by_model ON job (guild_id, model, created_at)
    WHERE is_private = 0 AND message_id IS NOT NULL;
