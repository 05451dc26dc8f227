-- What this server does better than with the original's tables alone. The original server works with the changed tables
-- as before.

-- Without it everything works, but counts of redeliveries start again after a restart.
CREATE TABLE IF NOT EXISTS StanRedeliveries (
  subid BIGINT UNSIGNED NOT NULL,
  seq BIGINT UNSIGNED NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (subid, seq)
);

-- A BLOB takes 65,535 bytes: longer messages would be refused.
ALTER TABLE Messages MODIFY data LONGBLOB;

ALTER TABLE SubsPending MODIFY pending LONGBLOB, MODIFY acks LONGBLOB;

-- Names in any script, and client IDs that differ in the case of a letter only.
ALTER TABLE Clients MODIFY id VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  MODIFY hbinbox TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

ALTER TABLE Channels MODIFY name VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL;
