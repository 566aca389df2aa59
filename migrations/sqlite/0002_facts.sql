-- What is known of hosts, the newest of each: `codepage` is 936. Times are milliseconds since 1970 (UTC).
CREATE TABLE facts (
    host      TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    value     TEXT    NOT NULL,                -- JSON
    changed   INTEGER NOT NULL,                -- since when it is so, as far as is known
    collected INTEGER NOT NULL,                -- when it was seen last
    PRIMARY KEY (host, name)
) WITHOUT ROWID;
