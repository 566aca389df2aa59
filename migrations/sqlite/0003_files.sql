-- The file repository: what hosts may be given. The contents are files, by SHA-256. Times are milliseconds since 1970 (UTC).
CREATE TABLE files (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,  -- never used again
    name      TEXT    NOT NULL,
    version   TEXT    NOT NULL,
    size      INTEGER NOT NULL,                -- bytes
    md5       TEXT    NOT NULL,                -- in hexadecimal
    sha256    TEXT    NOT NULL,                -- in hexadecimal
    published INTEGER NOT NULL,                -- 1: may be handed out
    added     INTEGER NOT NULL,
    user_name TEXT    NOT NULL,                -- who added it
    note      TEXT,
    UNIQUE (name, version)
);
CREATE INDEX files_sha256 ON files (sha256);

CREATE TABLE file_fetches (
    file      INTEGER NOT NULL,
    run       TEXT    NOT NULL,
    host      TEXT    NOT NULL,
    fetched   INTEGER NOT NULL,
    user_name TEXT    NOT NULL,                -- who sent it there
    PRIMARY KEY (file, run, host)
) WITHOUT ROWID;
