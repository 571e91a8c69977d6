-- A word in context (in texts, without titles)
-- Each place where a word or phrase stands, as typed, in the present text of a post, with at most 80 characters before
-- and after it. Capital and small letters from A to Z are alike. The page /-/kwic and `clinic-archive kwic` also have
-- past wordings, beginnings of words, words with accents, and scripts without spaces.
-- group: texts
-- :word (word) = ; a word or a phrase; such as sleep
-- :clinic (clinic) = ; a clinic, empty for all
-- text: left, keyword, right
WITH RECURSIVE texts AS MATERIALIZED (
  SELECT p.post_id, ' ' || lower(p.body_text) || ' ' AS low
  FROM posts_fts
  JOIN posts AS p ON p.post_id = posts_fts.rowid
  WHERE posts_fts MATCH '"' || replace(:word, '"', '""') || '"'
    AND p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
), places (post_id, start) AS (
  SELECT post_id, instr(low, lower(:word)) FROM texts WHERE instr(low, lower(:word)) > 0
  UNION ALL
  SELECT t.post_id, s.start + instr(substr(t.low, s.start + 1), lower(:word))
  FROM places AS s JOIN texts AS t ON t.post_id = s.post_id
  WHERE instr(substr(t.low, s.start + 1), lower(:word)) > 0
)
SELECT
  replace(substr(p.body_text, max(s.start - 81, 1), min(80, s.start - 2)), char(10), ' ') AS "left",
  substr(p.body_text, s.start - 1, length(:word)) AS keyword,
  replace(substr(p.body_text, s.start - 1 + length(:word), 80), char(10), ' ') AS "right",
  p.clinic_id,
  p.title,
  coalesce(p.published_on, substr(p.published_at, 1, 10)) AS published_on,
  s.start - 2 AS position,
  p.url,
  p.post_id,
  p.revision_id
FROM places AS s
JOIN texts AS t ON t.post_id = s.post_id
JOIN posts AS p ON p.post_id = s.post_id
-- No letter or digit on either side; beyond ASCII the signs are U+0080 to U+00BF and U+2000 to U+2BFF.
WHERE substr(t.low, s.start - 1, 1) NOT GLOB '[a-z0-9]'
  AND substr(t.low, s.start + length(:word), 1) NOT GLOB '[a-z0-9]'
  AND (unicode(substr(t.low, s.start - 1, 1)) < 192 OR unicode(substr(t.low, s.start - 1, 1)) BETWEEN 8192 AND 11263)
  AND (unicode(substr(t.low, s.start + length(:word), 1)) < 192
    OR unicode(substr(t.low, s.start + length(:word), 1)) BETWEEN 8192 AND 11263)
ORDER BY p.published_at DESC, p.post_id, s.start
