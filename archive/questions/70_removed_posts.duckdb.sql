SELECT
  p.removed_at,
  p.last_seen_at,
  p.title,
  p.published_on,
  CAST(trunc(julian(p.removed_at AT TIME ZONE 'UTC') - julian(p.published_at AT TIME ZONE 'UTC')) AS BIGINT)
    AS days_online,
  p.word_count,
  p.clinic_id,
  p.post_id,
  p.url
FROM posts AS p
WHERE p.removed_at IS NOT NULL AND p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
ORDER BY p.removed_at DESC, p.post_id
