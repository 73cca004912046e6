-- Which of the parts $3 this process still owns: lease $1 carries our token $2. The share lock keeps a successor
-- from taking the part until this transaction has ended. A lease that is being renewed or taken right now is
-- left out instead of waited for: its timers come a few milliseconds later, and two processes never wait for
-- each other here. The database's business time comes with them.
SELECT w.part, (SELECT ledger.business_now()) AS now
  FROM unnest($1::text[], $2::uuid[], $3::smallint[]) AS w(name, token, part)
  JOIN ledger.lease l ON l.name = w.name AND l.token = w.token
   FOR SHARE OF l SKIP LOCKED
