-- Counters by day: the last value of each post, source and day (UTC), and the difference to the last day before.
-- Differences stay within one source, since a page and an API may round or lag differently. `went_down` names counters
-- that fell. Each counter is compared with the last day that gave it: days without a value make the interval longer.
-- It uses no window functions, which would read all readings for the first 50 rows (1.8 s at a million readings).
SELECT
  d.day,
  d.clinic_id,
  d.post_id,
  d.title,
  d.source,
  d.views,
  d.views - d.views_before AS views_added,
  iif(d.views IS NULL, NULL, CAST(julianday(d.day) - julianday(d.views_day) AS INTEGER)) AS views_days,
  d.likes,
  d.likes - d.likes_before AS likes_added,
  iif(d.likes IS NULL, NULL, CAST(julianday(d.day) - julianday(d.likes_day) AS INTEGER)) AS likes_days,
  d.comments_count,
  d.comments_count - d.comments_before AS comments_added,
  iif(d.comments_count IS NULL, NULL, CAST(julianday(d.day) - julianday(d.comments_day) AS INTEGER)) AS comments_days,
  nullif(
    trim(iif(d.views < d.views_before, 'views ', '') || iif(d.likes < d.likes_before, 'likes ', '')
      || iif(d.comments_count < d.comments_before, 'comments', '')),
    '') AS went_down,
  d.read_at,
  d.capture_id
FROM (
  SELECT
    substr(r.read_at, 1, 10) AS day,
    p.clinic_id,
    r.post_id,
    p.title,
    r.source,
    r.read_at,
    r.capture_id,
    coalesce(r.views, (
      SELECT e.views FROM readings AS e
      WHERE e.post_id = r.post_id AND e.source = r.source AND e.evidence = 'read' AND e.views IS NOT NULL
        AND e.read_at < r.read_at AND e.read_at > substr(r.read_at, 1, 10)
      ORDER BY e.read_at DESC, e.extractor_version DESC LIMIT 1)) AS views,
    coalesce(r.likes, (
      SELECT e.likes FROM readings AS e
      WHERE e.post_id = r.post_id AND e.source = r.source AND e.evidence = 'read' AND e.likes IS NOT NULL
        AND e.read_at < r.read_at AND e.read_at > substr(r.read_at, 1, 10)
      ORDER BY e.read_at DESC, e.extractor_version DESC LIMIT 1)) AS likes,
    coalesce(r.comments_count, (
      SELECT e.comments_count FROM readings AS e
      WHERE e.post_id = r.post_id AND e.source = r.source AND e.evidence = 'read' AND e.comments_count IS NOT NULL
        AND e.read_at < r.read_at AND e.read_at > substr(r.read_at, 1, 10)
      ORDER BY e.read_at DESC, e.extractor_version DESC LIMIT 1)) AS comments_count,
    (
      SELECT e.views FROM readings AS e
      WHERE e.post_id = r.post_id AND e.source = r.source AND e.evidence = 'read' AND e.views IS NOT NULL
        AND e.read_at < substr(r.read_at, 1, 10)
      ORDER BY e.read_at DESC, e.extractor_version DESC LIMIT 1) AS views_before,
    (
      SELECT substr(e.read_at, 1, 10) FROM readings AS e
      WHERE e.post_id = r.post_id AND e.source = r.source AND e.evidence = 'read' AND e.views IS NOT NULL
        AND e.read_at < substr(r.read_at, 1, 10)
      ORDER BY e.read_at DESC, e.extractor_version DESC LIMIT 1) AS views_day,
    (
      SELECT e.likes FROM readings AS e
      WHERE e.post_id = r.post_id AND e.source = r.source AND e.evidence = 'read' AND e.likes IS NOT NULL
        AND e.read_at < substr(r.read_at, 1, 10)
      ORDER BY e.read_at DESC, e.extractor_version DESC LIMIT 1) AS likes_before,
    (
      SELECT substr(e.read_at, 1, 10) FROM readings AS e
      WHERE e.post_id = r.post_id AND e.source = r.source AND e.evidence = 'read' AND e.likes IS NOT NULL
        AND e.read_at < substr(r.read_at, 1, 10)
      ORDER BY e.read_at DESC, e.extractor_version DESC LIMIT 1) AS likes_day,
    (
      SELECT e.comments_count FROM readings AS e
      WHERE e.post_id = r.post_id AND e.source = r.source AND e.evidence = 'read' AND e.comments_count IS NOT NULL
        AND e.read_at < substr(r.read_at, 1, 10)
      ORDER BY e.read_at DESC, e.extractor_version DESC LIMIT 1) AS comments_before,
    (
      SELECT substr(e.read_at, 1, 10) FROM readings AS e
      WHERE e.post_id = r.post_id AND e.source = r.source AND e.evidence = 'read' AND e.comments_count IS NOT NULL
        AND e.read_at < substr(r.read_at, 1, 10)
      ORDER BY e.read_at DESC, e.extractor_version DESC LIMIT 1) AS comments_day
  FROM readings AS r
  JOIN posts AS p ON p.post_id = r.post_id
  WHERE r.evidence = 'read' AND NOT EXISTS (
    SELECT 1 FROM readings AS e
    WHERE e.post_id = r.post_id AND e.source = r.source AND e.evidence = 'read'
      AND (e.read_at, e.extractor_version, e.rowid) > (r.read_at, r.extractor_version, r.rowid)
      AND e.read_at >= r.read_at AND e.read_at < substr(r.read_at, 1, 10) || 'U')
) AS d
