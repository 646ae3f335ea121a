-- What an edit started from: the sources of its pictures and its mask, as JSON that bot/requests.py
-- writes and reads. Apart from the job and erased with its prompt; private jobs have none.
CREATE TABLE job_input (
    job_id BIGINT NOT NULL PRIMARY KEY REFERENCES job (id),
    content TEXT NOT NULL
);

-- Pictures that a person has put aside for one edit, from several messages.
CREATE TABLE tray_picture (
    id BIGINT NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    source TEXT NOT NULL,                 -- JSON, as above
    added_at BIGINT NOT NULL
);
CREATE INDEX tray_picture_by_user ON tray_picture (user_id, id);

-- An offer keeps more than its requests now. Offers are short-lived; those of before are not read.
DELETE FROM offer;
ALTER TABLE offer RENAME COLUMN requests TO content;
