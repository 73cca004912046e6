-- Tells every service to re-read the kind $1 once this transaction commits. The row lock makes writers of one
-- kind commit one after another, so no reader can see the later epoch without the earlier rows.
INSERT INTO ledger.reference_epoch AS e (kind, epoch) VALUES ($1, 2)
ON CONFLICT (kind) DO UPDATE SET epoch = e.epoch + 1;
