-- Dead letters can be carried out again, at a rate, by the process that owns their part, or be dropped for a reason;
-- each row keeps who asked for that and when it ended. All times are real time.
ALTER TABLE ledger.dlq
  ADD COLUMN replay_at      timestamptz,                     -- when it is due again; NULL: nobody has asked
  ADD COLUMN replay_request uuid,                            -- of the call that scheduled it last
  ADD COLUMN replay_owner   text     NOT NULL DEFAULT '',    -- the process that has begun it and told no end yet
  ADD COLUMN replay_deaths  smallint NOT NULL DEFAULT 0,     -- processes that began it and were not heard of again
  ADD COLUMN requested_by   text     NOT NULL DEFAULT '',    -- principal that scheduled or dropped it
  ADD COLUMN settled_at     timestamptz,
  ADD CONSTRAINT dlq_only_parked_is_due CHECK (state = 'parked' OR replay_at IS NULL);
-- What an owner looks for each second, and what admins list: both stay small however much was settled.
CREATE INDEX dlq_due ON ledger.dlq (grp, replay_at) WHERE replay_at IS NOT NULL;
CREATE INDEX dlq_parked ON ledger.dlq (grp, topic, part, pos) WHERE state = 'parked';
CREATE INDEX dlq_age ON ledger.dlq (parked_at);
