-- What the owners of a group's stream leave behind for each other, so that an entry that takes its process with it
-- is found out. An owner that vanished without giving its lease back makes the stream careful for a while: its
-- entries run alone, each attempt is written before it begins, and an attempt that nobody ended counts as a death
-- when the next owner gains the lease. Releases that do not know the columns leave them alone.
ALTER TABLE ledger.consumer_offset
  ADD COLUMN careful_until bigint   NOT NULL DEFAULT 0,      -- entries up to here run so
  ADD COLUMN attempted     bigint   NOT NULL DEFAULT 0,      -- position of the attempt written last
  ADD COLUMN attempt_open  boolean  NOT NULL DEFAULT false,  -- it has begun and nobody has said that it ended
  ADD COLUMN deaths        smallint NOT NULL DEFAULT 0,      -- owners that vanished during an attempt at `attempted`
  ADD COLUMN blind         boolean  NOT NULL DEFAULT false;  -- one vanished before `careful_until`, nobody knows where
