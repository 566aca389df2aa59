-- What plays said: which play, which task, what came of it on which host. Times are milliseconds since 1970 (UTC).
CREATE TABLE play_events (
    run         VARCHAR(36)  NOT NULL,
    seq         BIGINT       NOT NULL,         -- the order: where its line ends in the journal
    said_at     BIGINT       NOT NULL,
    task        BIGINT,                        -- of a task and of its results
    host        VARCHAR(255),                  -- of a result
    status      VARCHAR(16),                   -- of a result: ok, changed, skipped, failed, unreachable
    duration_us BIGINT,
    body        LONGBLOB     NOT NULL,         -- the event as JSON, compressed by zstd
    PRIMARY KEY (run, seq),
    INDEX play_events_host (host, said_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
