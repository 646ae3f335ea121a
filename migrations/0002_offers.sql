-- Requests that a button would run: what was offered to one person after something failed. Holds
-- prompts, so it is short-lived, and private requests never come here.
CREATE TABLE offer (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    requests TEXT NOT NULL,               -- a JSON list, written and read by bot/offers.py
    expires_at BIGINT NOT NULL
);
CREATE INDEX offer_by_expiry ON offer (expires_at);
CREATE INDEX offer_by_user ON offer (user_id);
