-- Answers that people wait for while their pictures are fetched, before there is a job. A process that
-- ends meanwhile leaves its rows, and whoever comes next tells these people. A row goes when the job is
-- there, when its person was told, or with the token.
CREATE TABLE promise (
    message_id BIGINT NOT NULL PRIMARY KEY,  -- the deferred answer
    process BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    is_private BIGINT NOT NULL CHECK (is_private IN (0, 1)),
    application_id BIGINT NOT NULL,
    token TEXT NOT NULL,
    channel_id BIGINT NOT NULL,
    upload_limit BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX promise_by_user ON promise (user_id);
