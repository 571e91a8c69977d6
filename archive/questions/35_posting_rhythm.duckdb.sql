SELECT
  strftime(coalesce(p.published_on, CAST(p.published_at AT TIME ZONE 'UTC' AS DATE)), '%Y-%m') AS month,
  p.clinic_id,
  count(*) AS posts,
  sum(p.word_count) AS words,
  count(DISTINCT p.author_id) AS authors
FROM posts AS p
WHERE p.published_at IS NOT NULL AND p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
GROUP BY month, p.clinic_id
ORDER BY month, p.clinic_id
