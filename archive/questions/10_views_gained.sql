-- Views gained between two dates
-- For each post: the difference of its last view counts up to the two dates, both from one source. Without dates, from
-- its first reading to its last; a post that was first read between the dates counts from its first reading. Empty
-- (NULL) where both are the same reading: no later reading in the period says whether views were gained. 0 is of two.
-- group: numbers
-- :clinic (clinic) = ; a clinic, empty for all
-- :from (date) = ; first day, empty for the first reading
-- :to (date) = ; last day, empty for the last reading
-- integer: views_gained, views_before, views_after
-- timestamp: before_read_at, after_read_at
-- chart: bar x=title y=views_gained
SELECT
  iif(a.rowid = b.rowid, NULL, b.views - a.views) AS views_gained,
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
JOIN readings AS b ON b.rowid = (
  SELECT r.rowid FROM readings AS r
  WHERE r.post_id = p.post_id AND r.evidence = 'read' AND r.views IS NOT NULL
    AND r.read_at < iif(:to = '', '9999', date(:to, '+1 day'))
  ORDER BY r.read_at DESC, r.extractor_version DESC LIMIT 1)
JOIN readings AS a ON a.rowid = coalesce(
  (SELECT r.rowid FROM readings AS r
    WHERE r.post_id = p.post_id AND r.source = b.source AND r.evidence = 'read' AND r.views IS NOT NULL
      AND :from != '' AND r.read_at < date(:from, '+1 day')
    ORDER BY r.read_at DESC, r.extractor_version DESC LIMIT 1),
  (SELECT r.rowid FROM readings AS r
    WHERE r.post_id = p.post_id AND r.source = b.source AND r.evidence = 'read' AND r.views IS NOT NULL
    ORDER BY r.read_at, r.extractor_version DESC LIMIT 1))
WHERE p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~') AND a.read_at <= b.read_at
ORDER BY views_gained DESC, p.post_id
