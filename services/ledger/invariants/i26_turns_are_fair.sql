-- In turn means in turn: over any stretch of decisions of one flow and line in which the same people could have got
-- each ticket, nobody got two more than another. Former holders and people named by rules come back out of turn, and
-- a decision by load moves the ring too, so it ends a stretch. Decisions carry who was eligible, and their order; those of
-- format 1 as an object a candidate, later ones as columns.
WITH decided AS (
  SELECT d.flow_id, coalesce((d.body->'ticket'->>'line')::int, 1) AS line, d.no, d.agent, d.body->>'chosen_by' AS how,
         CASE jsonb_typeof(d.body->'candidates') WHEN 'array' THEN jsonb_path_query_array(d.body,
             '$.candidates[*] ? (@.verdict == "CHOSEN" || @.verdict == "NOT_CHOSEN").employee')
         ELSE (SELECT coalesce(jsonb_agg(c.employee ORDER BY c.at), '[]')
                 FROM ROWS FROM (jsonb_array_elements(d.body #> '{candidates,employee}'),
                                 jsonb_array_elements_text(d.body #> '{candidates,verdict}'))
                      WITH ORDINALITY AS c (employee, verdict, at)
                WHERE c.verdict IN ('CHOSEN','NOT_CHOSEN')) END AS eligible
    FROM router.decision d
   WHERE d.no IS NOT NULL AND d.body->>'chosen_by' IN ('turn','load')
), marked AS (
  SELECT d.*, (d.eligible, d.how) IS DISTINCT FROM (lag(d.eligible) OVER ring, lag(d.how) OVER ring) AS starts
    FROM decided d WINDOW ring AS (PARTITION BY d.flow_id, d.line ORDER BY d.no)
), stretches AS (
  SELECT m.*, count(*) FILTER (WHERE m.starts) OVER (PARTITION BY m.flow_id, m.line ORDER BY m.no) AS stretch
    FROM marked m
), got AS (
  SELECT s.flow_id, s.line, s.stretch, s.eligible, s.agent, count(*) AS n, min(s.no) AS first_no, max(s.no) AS last_no
    FROM stretches s WHERE s.how = 'turn'
   GROUP BY s.flow_id, s.line, s.stretch, s.eligible, s.agent
)
SELECT 0 AS part, g.flow_id AS what,
       'line ' || g.line || ', decisions ' || min(g.first_no) || '..' || max(g.last_no) || ': '
         || string_agg(g.agent || ' ' || g.n, ', ' ORDER BY g.agent) || ' of ' || g.eligible AS detail
  FROM got g
 GROUP BY g.flow_id, g.line, g.stretch, g.eligible
HAVING max(g.n) - CASE WHEN count(*) < jsonb_array_length(g.eligible) THEN 0 ELSE min(g.n) END > 1
