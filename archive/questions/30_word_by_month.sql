-- A word by month and clinic
-- The number of posts published in a month whose current text contains a word or phrase, and the number of all posts
-- of the month. Months are those of the clinic's time zone, or of UTC if that is not known.
-- group: texts
-- :word (word) = ; a word or a phrase; such as sleep
-- :clinic (clinic) = ; a clinic, empty for all
-- integer: posts_with_word
-- text: month
-- chart: line x=month y=percent color=clinic_id
SELECT
  substr(coalesce(p.published_on, p.published_at), 1, 7) AS month,
  p.clinic_id,
  count(f.rowid) AS posts_with_word,
  count(*) AS posts,
  round(100.0 * count(f.rowid) / count(*), 1) AS percent
FROM posts AS p
LEFT JOIN (
  SELECT rowid FROM posts_fts WHERE posts_fts MATCH '"' || replace(:word, '"', '""') || '"'
) AS f ON f.rowid = p.post_id
WHERE p.published_at IS NOT NULL AND p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
GROUP BY month, p.clinic_id
ORDER BY month, p.clinic_id
