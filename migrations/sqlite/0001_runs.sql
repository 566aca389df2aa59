-- Runs, their hosts, and outputs by content. Times are milliseconds since 1970 (UTC).
CREATE TABLE runs (
    run            TEXT    NOT NULL PRIMARY KEY,
    verb           TEXT    NOT NULL,
    command        TEXT,
    pattern        TEXT    NOT NULL,
    user_name      TEXT    NOT NULL,
    account        TEXT,
    from_where     TEXT    NOT NULL,
    options        TEXT    NOT NULL,           -- a JSON object
    no_log         INTEGER NOT NULL,
    hosts          INTEGER NOT NULL,
    started        INTEGER NOT NULL,
    finished       INTEGER,                    -- NULL: under way
    outcome        TEXT,
    stopped        TEXT,
    summary        TEXT,                       -- a JSON object
    journal_offset INTEGER NOT NULL            -- what of the journal is in here, in bytes
);
CREATE INDEX runs_started ON runs (started);

CREATE TABLE run_hosts (
    run           TEXT    NOT NULL REFERENCES runs (run) ON DELETE CASCADE,
    ix            INTEGER NOT NULL,            -- place in inventory order
    host          TEXT    NOT NULL,
    outcome       TEXT    NOT NULL,
    exit_status   INTEGER,
    signal_name   TEXT,
    encoding      TEXT    NOT NULL,
    started       INTEGER NOT NULL,
    duration_us   INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    error         TEXT,                        -- a JSON object: kind, message, hint
    connect_us    INTEGER,
    auth_us       INTEGER,
    stdout_digest TEXT,                        -- NULL: nothing kept
    stdout_total  INTEGER NOT NULL,
    stdout_kept   INTEGER NOT NULL,
    stderr_digest TEXT,
    stderr_total  INTEGER NOT NULL,
    stderr_kept   INTEGER NOT NULL,
    PRIMARY KEY (run, ix)
) WITHOUT ROWID;
CREATE INDEX run_hosts_host ON run_hosts (host, started);
CREATE INDEX run_hosts_stdout ON run_hosts (stdout_digest);
CREATE INDEX run_hosts_stderr ON run_hosts (stderr_digest);

-- Each distinct output once, in pieces of at most 1 MiB, each compressed by zstd.
CREATE TABLE outputs (
    digest  TEXT    NOT NULL,                  -- SHA-256 of the whole, in hexadecimal
    piece   INTEGER NOT NULL,
    content BLOB    NOT NULL,
    PRIMARY KEY (digest, piece)
) WITHOUT ROWID;
