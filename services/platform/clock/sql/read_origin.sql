SELECT business_origin, scale FROM ledger.clock_origin
