-- How far each kind of reference data has moved.
SELECT kind, epoch FROM ledger.reference_epoch;
