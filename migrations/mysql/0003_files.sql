-- The file repository: what hosts may be given. The contents are files, by SHA-256. Times are milliseconds since 1970 (UTC).
CREATE TABLE files (
    id        BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,  -- never used again
    name      VARCHAR(255) NOT NULL,
    version   VARCHAR(64)  NOT NULL,
    size      BIGINT       NOT NULL,           -- bytes
    md5       VARCHAR(32)  NOT NULL,           -- in hexadecimal
    sha256    VARCHAR(64)  NOT NULL,           -- in hexadecimal
    published BIGINT       NOT NULL,           -- 1: may be handed out
    added     BIGINT       NOT NULL,
    user_name VARCHAR(255) NOT NULL,           -- who added it
    note      MEDIUMTEXT,
    UNIQUE (name, version),
    INDEX files_sha256 (sha256)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;

CREATE TABLE file_fetches (
    file      BIGINT       NOT NULL,
    run       VARCHAR(36)  NOT NULL,
    host      VARCHAR(255) NOT NULL,
    fetched   BIGINT       NOT NULL,
    user_name VARCHAR(255) NOT NULL,           -- who sent it there
    PRIMARY KEY (file, run, host)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
