SELECT (SELECT count(*) FROM ledger.idem) || '+' || (SELECT count(*) FROM intake.reference_idem);
