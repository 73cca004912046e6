-- 4500 answers of tickets and 10 of reference data from last week, and one of each from just now.
INSERT INTO ledger.idem (part, caller, request_id, method, body_hash, ticket_id, version, at)
SELECT n % 16, 'users/ivanova', gen_random_uuid(), 'CreateTicket', 'hash', gen_random_uuid(), 1,
       clock_timestamp() - interval '7 days 1 second'
  FROM generate_series(1, 4500) n;
INSERT INTO ledger.idem (part, caller, request_id, method, body_hash, ticket_id, version)
VALUES (1, 'users/ivanova', gen_random_uuid(), 'CreateTicket', 'hash', gen_random_uuid(), 1);
INSERT INTO intake.reference_idem (caller, method, request_id, body_hash, answer, at)
SELECT 'users/ivanova', 'CreateFlow', gen_random_uuid(), 'hash', '\x00', clock_timestamp() - interval '8 days'
  FROM generate_series(1, 10);
INSERT INTO intake.reference_idem (caller, method, request_id, body_hash, answer)
VALUES ('users/ivanova', 'CreateFlow', gen_random_uuid(), 'hash', '\x00');
