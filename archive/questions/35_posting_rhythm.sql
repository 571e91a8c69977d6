-- Posting rhythm
-- Posts published a month, by the clinic's own calendar (UTC where its time zone is not known); months without one are gaps, not rows.
-- :clinic (clinic) = ; a clinic, empty for all
-- chart: bar x=month y=posts color=clinic_id
SELECT
  substr(coalesce(p.published_on, p.published_at), 1, 7) AS month,
  p.clinic_id,
  count(*) AS posts,
  sum(p.word_count) AS words,
  count(DISTINCT p.author_id) AS authors
FROM posts AS p
WHERE p.published_at IS NOT NULL AND p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
GROUP BY month, p.clinic_id
ORDER BY month, p.clinic_id
