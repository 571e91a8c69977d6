-- Problems, once per kind and address: how often, first and last time, and whether the newest run still had them.
SELECT
  g.last_at,
  g.clinic_id,
  g.kind,
  g.field,
  g.message,
  g.times,
  g.runs,
  g.first_at,
  g.last_at >= newest.started_at AS in_newest_run,
  g.url
FROM (
  SELECT
    clinic_id,
    kind,
    field,
    url,
    message,
    count(*) AS times,
    count(DISTINCT crawl_id) AS runs,
    min(happened_at) AS first_at,
    max(happened_at) AS last_at
  FROM problems
  GROUP BY clinic_id, kind, field, url, message
) AS g
LEFT JOIN (
  SELECT clinic_id, max(started_at) AS started_at FROM clinic_runs GROUP BY clinic_id
) AS newest ON newest.clinic_id = g.clinic_id
