-- Makes the publishers of one flow come one after another.
SELECT version FROM intake.flow WHERE id = $1 FOR UPDATE;
