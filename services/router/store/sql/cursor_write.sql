UPDATE ledger.flow_cursor SET last_agent = $2, passes = passes + 1 WHERE flow_id = $1
