-- The head of every list of dead letters; store/dead_letter_store.cc adds conditions, order and limit, whose values all
-- travel as parameters. What is parked is carried by dlq_parked, spans of time by dlq_age.
SELECT d.grp, d.topic, d.part, d.pos, d.entity, d.version, d.type, d.attempts, d.reason, d.state, d.parked_at, d.note,
       d.replay_at, d.replay_request, d.settled_at, d.requested_by
  FROM ledger.dlq d
