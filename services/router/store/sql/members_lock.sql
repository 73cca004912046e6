-- Present versions of members about to be written; ascending, so that two writers never wait for each other.
SELECT employee, version, removed_at IS NULL AS present
  FROM router.member
 WHERE flow_id = $1 AND employee = ANY ($2::text[])
 ORDER BY employee
   FOR NO KEY UPDATE
