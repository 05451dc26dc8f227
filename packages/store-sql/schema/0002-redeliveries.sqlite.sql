-- How often each pending message was redelivered, for channels where that ends redelivering one day. The original has no
-- such table.

CREATE TABLE IF NOT EXISTS StanRedeliveries (
  subid INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (subid, seq)
) STRICT, WITHOUT ROWID;
