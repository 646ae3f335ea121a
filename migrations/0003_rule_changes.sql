-- Who changed which rule, when, from what to what: never updated but for erasing a person's id.
CREATE TABLE rule_change (
    id BIGINT NOT NULL PRIMARY KEY,
    guild_id BIGINT NOT NULL,             -- 0: the operator's, for everywhere
    changed_at BIGINT NOT NULL,
    changed_by BIGINT NOT NULL,
    what TEXT NOT NULL,
    target TEXT NOT NULL,                 -- whom it is for, as in spending_rule.scope; '' for a place
    subject_id BIGINT,                    -- the role or channel that it is for
    user_id BIGINT,                       -- the person that it is for; NULL once erased
    period TEXT NOT NULL,
    before TEXT,                          -- NULL: nothing was set
    after TEXT,                           -- NULL: removed
    reason TEXT NOT NULL
);
CREATE INDEX rule_change_by_guild ON rule_change (guild_id, changed_at);
