WITH ranked AS (
  SELECT r.post_id, r.source, r.read_at, r.views, r.capture_id, r.extractor_version
  FROM readings AS r
  JOIN posts AS p ON p.post_id = r.post_id
  WHERE r.evidence = 'read' AND r.views IS NOT NULL
    AND p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
),
last AS (
  SELECT * FROM ranked
  WHERE :to = '' OR read_at < CAST(CAST(nullif(:to, '') AS DATE) + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
  QUALIFY row_number() OVER (PARTITION BY post_id ORDER BY read_at DESC, extractor_version DESC) = 1
),
-- The last reading up to the first day, else the first reading of all.
start AS (
  SELECT r.*,
    :from != '' AND r.read_at < CAST(CAST(nullif(:from, '') AS DATE) + 1 AS TIMESTAMP) AT TIME ZONE 'UTC' AS early
  FROM ranked AS r JOIN last AS b ON b.post_id = r.post_id AND b.source = r.source
  QUALIFY row_number() OVER (
    PARTITION BY r.post_id
    ORDER BY coalesce(early, false) DESC, CASE WHEN early THEN -epoch_us(r.read_at) ELSE epoch_us(r.read_at) END,
      r.extractor_version DESC) = 1
)
SELECT
  CASE WHEN a.read_at != b.read_at OR a.capture_id != b.capture_id THEN b.views - a.views END AS views_gained,
  p.title,
  p.clinic_id,
  a.views AS views_before,
  a.read_at AS before_read_at,
  b.views AS views_after,
  b.read_at AS after_read_at,
  b.source,
  p.published_on,
  p.post_id,
  p.url
FROM posts AS p
JOIN last AS b ON b.post_id = p.post_id
JOIN start AS a ON a.post_id = p.post_id
WHERE a.read_at <= b.read_at
ORDER BY views_gained DESC NULLS LAST, p.post_id
