-- The head of the lock on the parked dead letters a filter selects; store/dead_letter_store.cc adds the filter, the
-- order and a limit. One that is being carried out at this moment is waited for.
SELECT d.grp, d.topic, d.part, d.pos
  FROM ledger.dlq d
