-- Whether agent $1 of flow $2 cannot go on with a ticket at business time $3: absent, out of the team, or gone from
-- the company. The router takes tickets back by the same rule.
SELECT EXISTS (SELECT FROM router.absence a
                WHERE a.employee = $1 AND a.starts_at <= $3::timestamptz AND $3::timestamptz < a.ends_at)
       OR NOT EXISTS (SELECT FROM router.member m JOIN intake.employee e ON e.id = m.employee AND e.active
                       WHERE m.employee = $1 AND m.flow_id = $2 AND m.removed_at IS NULL)
