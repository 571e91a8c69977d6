-- Comments that contain a word
-- Comments in the archive that contain a word or phrase, newest first.
-- group: comments
-- :word (word) = ; a word or a phrase; such as thank you
-- :clinic (clinic) = ; a clinic, empty for all
SELECT
  c.posted_at,
  c.body_text,
  c.author,
  c.author_kind,
  p.title AS post_title,
  c.clinic_id,
  c.comment_id,
  c.post_id,
  p.url
FROM comments_fts AS f
JOIN comments AS c ON c.comment_id = f.rowid
JOIN posts AS p ON p.post_id = c.post_id
WHERE f.comments_fts MATCH '"' || replace(:word, '"', '""') || '"'
  AND c.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
ORDER BY c.posted_at DESC, c.comment_id DESC
