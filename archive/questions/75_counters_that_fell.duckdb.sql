WITH counted AS (
  UNPIVOT (
    SELECT r.post_id, r.source, r.read_at, r.extractor_version, r.views, r.likes, r.comments_count
    FROM readings AS r
    JOIN posts AS p ON p.post_id = r.post_id
    WHERE r.evidence = 'read' AND p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
  ) ON views, likes, comments_count INTO NAME counter VALUE after
),
compared AS (
  SELECT c.*, lag(c.after) OVER w AS before, lag(c.read_at) OVER w AS before_read_at
  FROM counted AS c
  WINDOW w AS (PARTITION BY c.post_id, c.source, c.counter ORDER BY c.read_at, c.extractor_version)
)
SELECT
  t.read_at,
  t.counter,
  t.before,
  t.after,
  t.after - t.before AS change,
  t.before_read_at,
  t.source,
  p.title,
  p.clinic_id,
  p.post_id,
  p.url
FROM compared AS t
JOIN posts AS p ON p.post_id = t.post_id
WHERE t.after < t.before
ORDER BY t.read_at DESC, p.post_id, t.counter
