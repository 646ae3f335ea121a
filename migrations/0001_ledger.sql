-- Money, jobs and the rules about them. Written once for SQLite and PostgreSQL: ids are made by the
-- bot, money is micro-USD, times are epoch milliseconds (UTC), yes and no are 1 and 0.

CREATE TABLE process (
    id BIGINT NOT NULL PRIMARY KEY,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

CREATE TABLE job (
    id BIGINT NOT NULL PRIMARY KEY,
    idem TEXT NOT NULL UNIQUE,
    parent_id BIGINT,
    process BIGINT NOT NULL,              -- who runs and delivers it
    guild_id BIGINT NOT NULL,             -- 0: a direct message
    channel_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    command TEXT NOT NULL,
    asked_model TEXT,                     -- what the person named, if anything
    model TEXT NOT NULL,
    size TEXT NOT NULL,
    quality TEXT NOT NULL,
    output_format TEXT NOT NULL,
    pictures BIGINT NOT NULL CHECK (pictures > 0),
    is_private BIGINT NOT NULL CHECK (is_private IN (0, 1)),
    ceiling BIGINT NOT NULL CHECK (ceiling >= 0),
    open_charges BIGINT NOT NULL CHECK (open_charges >= 0),
    day_label TEXT NOT NULL,              -- where the roll-ups count it, in the guild's calendar
    month_label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    reply_application BIGINT,
    reply_token TEXT,                     -- NULL once it expired or the job was closed
    reply_expires_at BIGINT,
    reply_channel BIGINT,
    reply_message BIGINT,
    reply_upload_limit BIGINT,
    delivery TEXT NOT NULL CHECK (delivery IN ('open', 'delivered', 'undeliverable')),
    undeliverable_reason TEXT NOT NULL,
    message_channel BIGINT,
    message_id BIGINT,
    delivered_at BIGINT
);
CREATE INDEX job_by_user ON job (user_id, created_at);
CREATE INDEX job_undelivered ON job (created_at) WHERE delivery = 'open';
CREATE INDEX job_with_token ON job (reply_expires_at) WHERE reply_token IS NOT NULL;

-- Apart from the job, so that erasing a person's words touches nothing else. Private jobs have none.
CREATE TABLE prompt (
    job_id BIGINT NOT NULL PRIMARY KEY REFERENCES job (id),
    prompt TEXT NOT NULL
);

CREATE TABLE charge (
    id BIGINT NOT NULL PRIMARY KEY,
    job_id BIGINT NOT NULL REFERENCES job (id),
    idem TEXT NOT NULL UNIQUE,
    place BIGINT NOT NULL,                -- 0-based among the job's pictures
    process BIGINT NOT NULL,
    guild_id BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    command TEXT NOT NULL,
    model TEXT NOT NULL,
    limit_role BIGINT,                    -- the role whose limit the member used, if any
    state TEXT NOT NULL CHECK (
        state IN ('held', 'dispatched', 'settled', 'released', 'unknown', 'presumed')
    ),
    prior_state TEXT NOT NULL,
    held BIGINT NOT NULL CHECK (held >= 0),
    actual BIGINT CHECK (actual >= 0),
    overrun BIGINT NOT NULL CHECK (overrun >= 0),
    pictures BIGINT NOT NULL CHECK (pictures >= 0),
    reason TEXT NOT NULL,
    lease_until BIGINT,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    closed_at BIGINT,                     -- NULL while held, dispatched or unknown
    CHECK ((actual IS NULL) = (state NOT IN ('settled', 'presumed')))
);
CREATE INDEX charge_by_job ON charge (job_id);
CREATE INDEX charge_by_user ON charge (user_id, created_at);
CREATE INDEX charge_unclosed ON charge (user_id) WHERE closed_at IS NULL;

-- The audit trail: a row for each change of a charge, never updated. sum(delta) = charge.actual.
CREATE TABLE entry (
    id BIGINT NOT NULL,
    charge_id BIGINT NOT NULL REFERENCES charge (id),
    kind TEXT NOT NULL,
    delta BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (charge_id, id)
);

-- A counter: whose spending, over which stretch of time.
CREATE TABLE bucket (
    id BIGINT NOT NULL PRIMARY KEY,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,                -- a channel, a guild, or a person's keyed hash
    period TEXT NOT NULL,
    start_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    label TEXT NOT NULL,
    cap BIGINT NOT NULL,                  -- the limit in force at the latest admission
    held BIGINT NOT NULL CHECK (held >= 0),
    settled BIGINT NOT NULL CHECK (settled >= 0),
    overrun BIGINT NOT NULL CHECK (overrun >= 0),
    UNIQUE (scope, subject, period, start_at)
);

-- The counters that a job was admitted to: it is settled in these, even when their time is over.
CREATE TABLE job_bucket (
    job_id BIGINT NOT NULL REFERENCES job (id),
    place BIGINT NOT NULL,                -- the one global order of locking
    bucket_id BIGINT NOT NULL REFERENCES bucket (id),
    is_slot BIGINT NOT NULL,              -- 1: counts open jobs, not money
    PRIMARY KEY (job_id, place)
);

CREATE TABLE job_output (
    charge_id BIGINT NOT NULL REFERENCES charge (id),
    place BIGINT NOT NULL,
    url TEXT,
    data BYTEA,                           -- until the job is delivered
    media_type TEXT,
    PRIMARY KEY (charge_id, place)
);

CREATE TABLE usage_month (
    guild_id BIGINT NOT NULL,
    month TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    model TEXT NOT NULL,
    charges BIGINT NOT NULL,
    pictures BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    PRIMARY KEY (guild_id, month, user_id, model)
);
CREATE INDEX usage_month_by_user ON usage_month (user_id);

CREATE TABLE usage_day (
    guild_id BIGINT NOT NULL,
    day TEXT NOT NULL,
    model TEXT NOT NULL,
    charges BIGINT NOT NULL,
    pictures BIGINT NOT NULL,
    spent BIGINT NOT NULL,
    PRIMARY KEY (guild_id, day, model)
);

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    content TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE guild (
    id BIGINT NOT NULL PRIMARY KEY,
    paused_at BIGINT,
    paused_by BIGINT,
    manager_role BIGINT,
    alert_channel BIGINT,
    log_channel BIGINT,
    confirm_above BIGINT
);

-- Every time zone that a guild has had, since the windows of the past depend on them.
CREATE TABLE guild_zone (
    guild_id BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    zone TEXT NOT NULL,
    changed_by BIGINT NOT NULL,
    PRIMARY KEY (guild_id, changed_at)
);

-- Limits that people set. guild_id 0: the operator's, for everywhere.
CREATE TABLE spending_rule (
    id BIGINT NOT NULL PRIMARY KEY,
    guild_id BIGINT NOT NULL,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id BIGINT,                       -- for showing whose it is; NULL once erased
    period TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    by_operator BIGINT NOT NULL CHECK (by_operator IN (0, 1)),
    set_by BIGINT NOT NULL,
    set_at BIGINT NOT NULL,
    UNIQUE (guild_id, scope, subject, period, by_operator)
);

-- Something extra, once, in the windows that ran when it was given.
CREATE TABLE spending_grant (
    id BIGINT NOT NULL PRIMARY KEY,
    guild_id BIGINT NOT NULL,
    subject TEXT NOT NULL,
    user_id BIGINT,
    amount BIGINT NOT NULL CHECK (amount > 0),
    reason TEXT NOT NULL,
    granted_by BIGINT NOT NULL,
    granted_at BIGINT NOT NULL
);
CREATE INDEX spending_grant_by_subject ON spending_grant (guild_id, subject, granted_at);

CREATE TABLE blocked_member (
    guild_id BIGINT NOT NULL,
    subject TEXT NOT NULL,
    user_id BIGINT,
    reason TEXT NOT NULL,
    blocked_by BIGINT NOT NULL,
    blocked_at BIGINT NOT NULL,
    PRIMARY KEY (guild_id, subject)
);

-- Each threshold of a budget is told once a window.
CREATE TABLE budget_alert (
    bucket_id BIGINT NOT NULL REFERENCES bucket (id),
    percent BIGINT NOT NULL,
    sent_at BIGINT NOT NULL,
    PRIMARY KEY (bucket_id, percent)
);
