-- Posts that were removed
-- A removal is confirmed by two complete runs at least 20 hours apart; until then the post is in missing_posts.
-- group: edits
-- :clinic (clinic) = ; a clinic, empty for all
-- integer: days_online
SELECT
  p.removed_at,
  p.last_seen_at,
  p.title,
  p.published_on,
  CAST(julianday(p.removed_at) - julianday(p.published_at) AS INTEGER) AS days_online,
  p.word_count,
  p.clinic_id,
  p.post_id,
  p.url
FROM posts AS p
WHERE p.removed_at IS NOT NULL AND p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
ORDER BY p.removed_at DESC, p.post_id
