-- Posts that contain the same sentence
-- Posts of any clinic that contain a sentence or phrase word for word, oldest first.
-- group: texts
-- :words (word) = ; a sentence or phrase; such as our approach to care
-- text: context
SELECT
  p.published_on,
  p.clinic_id,
  p.title,
  p.word_count,
  snippet(posts_fts, 1, '', '', ' … ', 24) AS context,
  p.first_seen_at,
  p.post_id,
  p.url
FROM posts_fts
JOIN posts AS p ON p.post_id = posts_fts.rowid
WHERE posts_fts MATCH '"' || replace(:words, '"', '""') || '"'
ORDER BY p.published_on IS NULL, p.published_on, p.post_id
