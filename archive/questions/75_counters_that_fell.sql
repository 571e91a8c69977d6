-- Counters that went down
-- Readings that are lower than the one before from the same source: a reset, a recount, or withdrawn likes or comments.
-- group: quality
-- :clinic (clinic) = ; a clinic, empty for all
-- integer: before, after, change
-- timestamp: before_read_at
-- text: counter
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
FROM (
  SELECT
    r.post_id, r.source, r.read_at, k.value AS counter,
    CASE k.value WHEN 'views' THEN r.views WHEN 'likes' THEN r.likes ELSE r.comments_count END AS after,
    lag(CASE k.value WHEN 'views' THEN r.views WHEN 'likes' THEN r.likes ELSE r.comments_count END) OVER w AS before,
    lag(r.read_at) OVER w AS before_read_at
  FROM posts AS p
  JOIN readings AS r ON r.post_id = p.post_id AND r.evidence = 'read'
  JOIN json_each('["views", "likes", "comments_count"]') AS k
    ON CASE k.value WHEN 'views' THEN r.views WHEN 'likes' THEN r.likes ELSE r.comments_count END IS NOT NULL
  WHERE p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
  WINDOW w AS (PARTITION BY r.post_id, r.source, k.value ORDER BY r.read_at, r.extractor_version)
) AS t
JOIN posts AS p ON p.post_id = t.post_id
WHERE t.after < t.before
ORDER BY t.read_at DESC, p.post_id, t.counter
