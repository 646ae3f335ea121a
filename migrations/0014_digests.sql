-- Reports that a guild wants posted in a channel, after each day, week or month has ended there.
CREATE TABLE digest (
    guild_id BIGINT NOT NULL PRIMARY KEY,
    period TEXT NOT NULL CHECK (period IN ('day', 'week', 'month')),
    channel_id BIGINT NOT NULL,
    set_by BIGINT NOT NULL,
    set_at BIGINT NOT NULL,
    covered_until BIGINT NOT NULL,        -- what ended by then is dealt with, or was not wanted yet
    reported_until BIGINT,                -- the end of what was posted last, or may have been
    claim_id BIGINT,                      -- of the latest one, until it is known what became of it
    claimed_at BIGINT,
    covered_before BIGINT,                -- how far it was covered before that claim
    lost_label TEXT,                      -- one of which nobody knows whether it was posted
    troubled_at BIGINT,                   -- when it was told that it can't be posted; NULL: it can, or was not told
    try_at BIGINT NOT NULL                -- not before
);

-- What the operator is told once, until it is well again, by whichever process notices it.
CREATE TABLE alarm (
    what TEXT NOT NULL PRIMARY KEY,
    looked_at BIGINT NOT NULL,            -- by the process whose turn it was
    raised_at BIGINT,                     -- NULL: it is well
    told_at BIGINT,                       -- NULL: whoever raised it may not have lived to tell it
    well_at BIGINT NOT NULL               -- since when it was so last
);
