-- What plays said: which play, which task, what came of it on which host. Times are milliseconds since 1970 (UTC).
CREATE TABLE play_events (
    run         TEXT    NOT NULL REFERENCES runs (run) ON DELETE CASCADE,
    seq         INTEGER NOT NULL,              -- the order: where its line ends in the journal
    said_at     INTEGER NOT NULL,
    task        INTEGER,                       -- of a task and of its results
    host        TEXT,                          -- of a result
    status      TEXT,                          -- of a result: ok, changed, skipped, failed, unreachable
    duration_us INTEGER,
    body        BLOB    NOT NULL,              -- the event as JSON, compressed by zstd
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;
CREATE INDEX play_events_host ON play_events (host, said_at);
