-- Runs, their hosts, and outputs by content. Times are milliseconds since 1970 (UTC).
CREATE TABLE runs (
    run            VARCHAR(36)  NOT NULL PRIMARY KEY,
    verb           VARCHAR(32)  NOT NULL,
    command        MEDIUMTEXT,
    pattern        MEDIUMTEXT   NOT NULL,
    user_name      VARCHAR(255) NOT NULL,
    account        VARCHAR(255),
    from_where     VARCHAR(255) NOT NULL,
    options        MEDIUMTEXT   NOT NULL,      -- a JSON object
    no_log         BIGINT       NOT NULL,
    hosts          BIGINT       NOT NULL,
    started        BIGINT       NOT NULL,
    finished       BIGINT,                     -- NULL: under way
    outcome        VARCHAR(16),
    stopped        VARCHAR(16),
    summary        TEXT,                       -- a JSON object
    journal_offset BIGINT       NOT NULL,      -- what of the journal is in here, in bytes
    INDEX runs_started (started)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE run_hosts (
    run           VARCHAR(36)  NOT NULL,
    ix            BIGINT       NOT NULL,       -- place in inventory order
    host          VARCHAR(255) NOT NULL,
    outcome       VARCHAR(16)  NOT NULL,
    exit_status   BIGINT,
    signal_name   VARCHAR(64),
    encoding      VARCHAR(32)  NOT NULL,
    started       BIGINT       NOT NULL,
    duration_us   BIGINT       NOT NULL,
    attempts      BIGINT       NOT NULL,
    error         MEDIUMTEXT,                  -- a JSON object: kind, message, hint
    connect_us    BIGINT,
    auth_us       BIGINT,
    stdout_digest VARCHAR(64),                 -- NULL: nothing kept
    stdout_total  BIGINT       NOT NULL,
    stdout_kept   BIGINT       NOT NULL,
    stderr_digest VARCHAR(64),
    stderr_total  BIGINT       NOT NULL,
    stderr_kept   BIGINT       NOT NULL,
    PRIMARY KEY (run, ix),
    INDEX run_hosts_host (host, started),
    INDEX run_hosts_stdout (stdout_digest),
    INDEX run_hosts_stderr (stderr_digest),
    FOREIGN KEY (run) REFERENCES runs (run) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

-- Each distinct output once, in pieces of at most 1 MiB, each compressed by zstd.
CREATE TABLE outputs (
    digest  VARCHAR(64) NOT NULL,              -- SHA-256 of the whole, in hexadecimal
    piece   BIGINT      NOT NULL,
    content MEDIUMBLOB  NOT NULL,
    PRIMARY KEY (digest, piece)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
