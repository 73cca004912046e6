-- Ends the server's process $1, one of our own role's, and waits for that at most 2 s: its locks are gone then.
SELECT pg_terminate_backend($1::int, 2000)
