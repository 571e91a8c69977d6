-- All comments of one pseudonym
-- A pseudonym stands for one person at one clinic, as the platform identifies people. A comment that gives only a
-- display name has no pseudonym.
-- group: comments
-- :pseudonym (word) = ; a value of the column author of comments; such as reader-abcdefgh2345
SELECT
  c.posted_at,
  p.title AS post_title,
  c.body_text,
  c.status,
  c.clinic_id,
  c.parent_id,
  c.comment_id,
  c.post_id,
  p.url
FROM comments AS c
JOIN posts AS p ON p.post_id = c.post_id
WHERE c.author = :pseudonym
ORDER BY c.posted_at, c.comment_id
