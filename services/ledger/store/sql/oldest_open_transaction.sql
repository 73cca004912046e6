-- Whatever this view of the data does not show yet was written by this transaction or a later one.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS oldest
