-- Posting rhythm
-- Posts published per month. Months are those of the clinic's time zone, or of UTC if that is not known; a month
-- without posts has no row.
-- group: numbers
-- :clinic (clinic) = ; a clinic, empty for all
-- integer: words, authors
-- text: month
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
