SELECT flow_id FROM router.member WHERE employee = $1 AND removed_at IS NULL ORDER BY flow_id
