-- A check over everything may take longer than a call's statement.
SELECT set_config('statement_timeout', '120s', true)
