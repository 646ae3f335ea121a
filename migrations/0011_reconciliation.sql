-- What ImageRouter says has been used, beside what the ledger says, whenever an operator compares.
CREATE TABLE reconciliation (
    id BIGINT NOT NULL PRIMARY KEY,
    checked_at BIGINT NOT NULL,
    is_baseline BIGINT NOT NULL CHECK (is_baseline IN (0, 1)),  -- what later ones are compared with
    key_id TEXT NOT NULL,                 -- ImageRouter's id of the key; '': the whole account
    used BIGINT NOT NULL,                 -- by ImageRouter's account
    recorded BIGINT NOT NULL,             -- all that counted as spent by the ledger's
    moved BIGINT NOT NULL,                -- how much of that came while ImageRouter was asked
    open_charges BIGINT NOT NULL,
    open_amount BIGINT NOT NULL,
    unknown_charges BIGINT NOT NULL,
    unknown_amount BIGINT NOT NULL
);
CREATE INDEX reconciliation_by_time ON reconciliation (checked_at);

-- Charges whose amount may be another one than ImageRouter's: few among very many.
CREATE INDEX charge_doubtful ON charge (closed_at)
    WHERE state = 'presumed' OR overrun > 0 OR (state = 'settled' AND prior_state IN ('presumed', 'released'));

ALTER TABLE rule_change ADD COLUMN by_operator BIGINT NOT NULL DEFAULT 0 CHECK (by_operator IN (0, 1));
UPDATE rule_change SET by_operator = 1 WHERE guild_id = 0 OR target = 'ceiling';
CREATE INDEX rule_change_by_operator ON rule_change (changed_at) WHERE by_operator = 1;
