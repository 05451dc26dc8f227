-- The tables of the original, for SQLite. Two things differ, for speed: Messages has no index on its timestamps (they are
-- searched by sequence), and it keeps its rowid, so that messages of many channels are all appended at one place.

CREATE TABLE IF NOT EXISTS ServerInfo (
  uniquerow INTEGER PRIMARY KEY DEFAULT 1 CHECK (uniquerow = 1),
  id TEXT NOT NULL,
  proto BLOB NOT NULL,
  version INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS Clients (
  id TEXT PRIMARY KEY,
  hbinbox TEXT,
  proto BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS Channels (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  maxseq INTEGER NOT NULL DEFAULT 0,
  maxmsgs INTEGER NOT NULL DEFAULT 0,
  maxbytes INTEGER NOT NULL DEFAULT 0,
  maxage INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1))
) STRICT;

CREATE INDEX IF NOT EXISTS Idx_ChannelsName ON Channels (name);

CREATE TABLE IF NOT EXISTS Messages (
  id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  size INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (id, seq)
) STRICT;

CREATE TABLE IF NOT EXISTS Subscriptions (
  id INTEGER NOT NULL,
  subid INTEGER NOT NULL,
  lastsent INTEGER NOT NULL DEFAULT 0,
  proto BLOB,
  deleted INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1)),
  PRIMARY KEY (id, subid)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS SubsPending (
  subid INTEGER NOT NULL,
  "row" INTEGER NOT NULL,
  seq INTEGER NOT NULL DEFAULT 0,
  lastsent INTEGER NOT NULL DEFAULT 0,
  pending BLOB,
  acks BLOB,
  PRIMARY KEY (subid, "row")
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS Idx_SubsPendingSeq ON SubsPending (subid, seq);

CREATE TABLE IF NOT EXISTS StoreLock (
  id TEXT NOT NULL DEFAULT '',
  tick INTEGER NOT NULL DEFAULT 0
) STRICT;
