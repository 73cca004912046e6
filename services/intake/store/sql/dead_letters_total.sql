-- The head of the exact total of a list of dead letters; store/dead_letter_store.cc adds the same conditions as to the list.
SELECT count(*)
  FROM ledger.dlq d
