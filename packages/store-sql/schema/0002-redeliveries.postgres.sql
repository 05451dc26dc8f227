-- What this server keeps beyond the original. Without this table everything works, but counts of redeliveries start again
-- after a restart. The original server never looks at it.

CREATE TABLE IF NOT EXISTS StanRedeliveries (
  subid BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (subid, seq)
);
