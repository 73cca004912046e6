-- Counters of all days. A board added them up from a row a day, part and agent: 49 ms with a million tickets of fifty days,
-- and more with each day.
CREATE TABLE analytics.rollup_total (
  flow_id          text     NOT NULL,
  part             smallint NOT NULL,
  agent_id         text     NOT NULL,
  pending_approval bigint   NOT NULL,
  queued           bigint   NOT NULL,
  assigned         bigint   NOT NULL,
  in_progress      bigint   NOT NULL,
  waiting          bigint   NOT NULL,
  resolved         bigint   NOT NULL,
  closed           bigint   NOT NULL,
  cancelled        bigint   NOT NULL,
  handed           bigint   NOT NULL,
  finished         bigint   NOT NULL,
  judged           bigint   NOT NULL,
  on_time          bigint   NOT NULL,
  rated            bigint   NOT NULL,
  rating_sum       bigint   NOT NULL,
  sent_back        bigint   NOT NULL,
  reopened         bigint   NOT NULL,
  PRIMARY KEY (flow_id, part, agent_id)  -- A board reads one range of it.
) WITH (fillfactor = 50);  -- The same few rows change with each event: their new versions stay on their pages.

-- Kept by the database with each change of a day's row, so that a replica of the version before keeps them too during a
-- rollout. Nobody waits in a circle: owners of different parts never share a row, and of one part one transaction at a time
-- counts, since it holds its offset. (A statement that makes rows and changes others goes through the totals twice.)
CREATE FUNCTION analytics.add_to_total(added analytics.rollup_day[], removed analytics.rollup_day[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO analytics.rollup_total AS r (flow_id, part, agent_id,
      pending_approval, queued, assigned, in_progress, waiting, resolved, closed, cancelled, handed, finished,
      judged, on_time, rated, rating_sum, sent_back, reopened)
  SELECT d.flow_id, d.part, d.agent_id,
         sum(d.sign * d.pending_approval)::bigint, sum(d.sign * d.queued)::bigint,
         sum(d.sign * d.assigned)::bigint, sum(d.sign * d.in_progress)::bigint, sum(d.sign * d.waiting)::bigint,
         sum(d.sign * d.resolved)::bigint, sum(d.sign * d.closed)::bigint, sum(d.sign * d.cancelled)::bigint,
         sum(d.sign * d.handed)::bigint, sum(d.sign * d.finished)::bigint, sum(d.sign * d.judged)::bigint,
         sum(d.sign * d.on_time)::bigint, sum(d.sign * d.rated)::bigint, sum(d.sign * d.rating_sum)::bigint,
         sum(d.sign * d.sent_back)::bigint, sum(d.sign * d.reopened)::bigint
    FROM (SELECT 1 AS sign, n.* FROM unnest(added) n
          UNION ALL
          SELECT -1, o.* FROM unnest(removed) o) d
   GROUP BY d.flow_id, d.part, d.agent_id
   ORDER BY d.flow_id, d.part, d.agent_id
  ON CONFLICT (flow_id, part, agent_id) DO UPDATE SET
      pending_approval = r.pending_approval + excluded.pending_approval, queued = r.queued + excluded.queued,
      assigned = r.assigned + excluded.assigned, in_progress = r.in_progress + excluded.in_progress,
      waiting = r.waiting + excluded.waiting, resolved = r.resolved + excluded.resolved,
      closed = r.closed + excluded.closed, cancelled = r.cancelled + excluded.cancelled,
      handed = r.handed + excluded.handed, finished = r.finished + excluded.finished,
      judged = r.judged + excluded.judged, on_time = r.on_time + excluded.on_time, rated = r.rated + excluded.rated,
      rating_sum = r.rating_sum + excluded.rating_sum, sent_back = r.sent_back + excluded.sent_back,
      reopened = r.reopened + excluded.reopened;
END $$;
CREATE FUNCTION analytics.keep_total() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN  -- One statement of both: a row of the totals gets one new version.
    PERFORM analytics.add_to_total((SELECT array_agg(ROW(n.*)::analytics.rollup_day) FROM rows_after n),
                                   (SELECT array_agg(ROW(o.*)::analytics.rollup_day) FROM rows_before o));
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM analytics.add_to_total((SELECT array_agg(ROW(n.*)::analytics.rollup_day) FROM rows_after n), NULL);
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM analytics.add_to_total(NULL, (SELECT array_agg(ROW(o.*)::analytics.rollup_day) FROM rows_before o));
  ELSE
    DELETE FROM analytics.rollup_total;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER keep_total_of_new AFTER INSERT ON analytics.rollup_day
  REFERENCING NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION analytics.keep_total();
CREATE TRIGGER keep_total_of_changed AFTER UPDATE ON analytics.rollup_day
  REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after FOR EACH STATEMENT EXECUTE FUNCTION analytics.keep_total();
CREATE TRIGGER keep_total_of_gone AFTER DELETE ON analytics.rollup_day
  REFERENCING OLD TABLE AS rows_before FOR EACH STATEMENT EXECUTE FUNCTION analytics.keep_total();
CREATE TRIGGER keep_total_of_nothing AFTER TRUNCATE ON analytics.rollup_day
  FOR EACH STATEMENT EXECUTE FUNCTION analytics.keep_total();

GRANT INSERT, UPDATE, DELETE ON analytics.rollup_total TO potok_analytics;

-- What has been counted so far. The triggers above have locked writers out until this commits.
INSERT INTO analytics.rollup_total (flow_id, part, agent_id,
    pending_approval, queued, assigned, in_progress, waiting, resolved, closed, cancelled, handed, finished, judged,
    on_time, rated, rating_sum, sent_back, reopened)
SELECT d.flow_id, d.part, d.agent_id,
       sum(d.pending_approval)::bigint, sum(d.queued)::bigint, sum(d.assigned)::bigint, sum(d.in_progress)::bigint,
       sum(d.waiting)::bigint, sum(d.resolved)::bigint, sum(d.closed)::bigint, sum(d.cancelled)::bigint,
       sum(d.handed)::bigint, sum(d.finished)::bigint, sum(d.judged)::bigint, sum(d.on_time)::bigint,
       sum(d.rated)::bigint, sum(d.rating_sum)::bigint, sum(d.sent_back)::bigint, sum(d.reopened)::bigint
  FROM analytics.rollup_day d
 GROUP BY d.flow_id, d.part, d.agent_id;
