-- What is known of hosts, the newest of each: `codepage` is 936. Times are milliseconds since 1970 (UTC).
CREATE TABLE facts (
    host      VARCHAR(255) NOT NULL,
    name      VARCHAR(128) NOT NULL,
    value     MEDIUMTEXT   NOT NULL,           -- JSON
    changed   BIGINT       NOT NULL,           -- since when it is so, as far as is known
    collected BIGINT       NOT NULL,           -- when it was seen last
    PRIMARY KEY (host, name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
