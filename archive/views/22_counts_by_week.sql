-- Counters by ISO week (Monday to Sunday, UTC): a row for each post and week with a reading, and the gain of that week.
-- Each counter is the last one read in the week; the gain is its difference to the last one read before the week, from
-- the same source. A week without a reading has no row: then the gain of the next one covers all weeks since, and
-- `views_weeks` is their number (1: the week before gave a value). A counter that no reading of the week gave is NULL.
-- Days are cut from the text: SQLite rounds 23:59:59.9999 up to the next day.
SELECT
  strftime('%Y', w.monday, '+3 days')
    || '-W' || substr('0' || ((strftime('%j', w.monday, '+3 days') + 6) / 7), -2) AS week,
  w.monday AS week_starts_on,
  p.clinic_id,
  w.post_id,
  p.title,
  v.views,
  v.views - vb.views AS views_added,
  CAST((julianday(w.monday) - julianday(substr(vb.read_at, 1, 10), '-6 days', 'weekday 1')) / 7 AS INTEGER)
    AS views_weeks,
  v.source AS views_source,
  l.likes,
  l.likes - lb.likes AS likes_added,
  CAST((julianday(w.monday) - julianday(substr(lb.read_at, 1, 10), '-6 days', 'weekday 1')) / 7 AS INTEGER)
    AS likes_weeks,
  l.source AS likes_source,
  c.comments_count,
  c.comments_count - cb.comments_count AS comments_added,
  CAST((julianday(w.monday) - julianday(substr(cb.read_at, 1, 10), '-6 days', 'weekday 1')) / 7 AS INTEGER)
    AS comments_weeks,
  c.source AS comments_source,
  (SELECT count(DISTINCT e.capture_id) FROM readings AS e
    WHERE e.post_id = w.post_id AND e.evidence = 'read' AND e.read_at >= w.monday AND e.read_at <= w.read_at)
    AS readings,
  w.read_at,
  p.url
FROM (
  SELECT r.post_id, r.read_at, date(substr(r.read_at, 1, 10), '-6 days', 'weekday 1') AS monday
  FROM readings AS r
  WHERE r.evidence = 'read' AND NOT EXISTS (
    SELECT 1 FROM readings AS e
    WHERE e.post_id = r.post_id AND e.evidence = 'read'
      AND (e.read_at, e.extractor_version, e.rowid) > (r.read_at, r.extractor_version, r.rowid)
      AND e.read_at >= r.read_at AND e.read_at < date(substr(r.read_at, 1, 10), '-6 days', 'weekday 1', '+7 days'))
) AS w
JOIN posts AS p ON p.post_id = w.post_id
LEFT JOIN readings AS v ON v.rowid = (
  SELECT e.rowid FROM readings AS e
  WHERE e.post_id = w.post_id AND e.evidence = 'read' AND e.views IS NOT NULL
    AND e.read_at >= w.monday AND e.read_at <= w.read_at
  ORDER BY e.read_at DESC, e.extractor_version DESC, e.source LIMIT 1)
LEFT JOIN readings AS vb ON vb.rowid = (
  SELECT e.rowid FROM readings AS e
  WHERE e.post_id = w.post_id AND e.source = v.source AND e.evidence = 'read' AND e.views IS NOT NULL
    AND e.read_at < w.monday
  ORDER BY e.read_at DESC, e.extractor_version DESC, e.source LIMIT 1)
LEFT JOIN readings AS l ON l.rowid = (
  SELECT e.rowid FROM readings AS e
  WHERE e.post_id = w.post_id AND e.evidence = 'read' AND e.likes IS NOT NULL
    AND e.read_at >= w.monday AND e.read_at <= w.read_at
  ORDER BY e.read_at DESC, e.extractor_version DESC, e.source LIMIT 1)
LEFT JOIN readings AS lb ON lb.rowid = (
  SELECT e.rowid FROM readings AS e
  WHERE e.post_id = w.post_id AND e.source = l.source AND e.evidence = 'read' AND e.likes IS NOT NULL
    AND e.read_at < w.monday
  ORDER BY e.read_at DESC, e.extractor_version DESC, e.source LIMIT 1)
LEFT JOIN readings AS c ON c.rowid = (
  SELECT e.rowid FROM readings AS e
  WHERE e.post_id = w.post_id AND e.evidence = 'read' AND e.comments_count IS NOT NULL
    AND e.read_at >= w.monday AND e.read_at <= w.read_at
  ORDER BY e.read_at DESC, e.extractor_version DESC, e.source LIMIT 1)
LEFT JOIN readings AS cb ON cb.rowid = (
  SELECT e.rowid FROM readings AS e
  WHERE e.post_id = w.post_id AND e.source = c.source AND e.evidence = 'read' AND e.comments_count IS NOT NULL
    AND e.read_at < w.monday
  ORDER BY e.read_at DESC, e.extractor_version DESC, e.source LIMIT 1)
