-- Changes of a post beside its text: address, author, date, language, excerpt, cover picture, categories or tags.
SELECT
  c.fetched_at AS changed_at,
  p.clinic_id,
  f.post_id,
  p.title,
  f.field,
  f.old,
  f.new,
  f.capture_id
FROM post_changes AS f
JOIN posts AS p ON p.post_id = f.post_id
JOIN captures AS c ON c.capture_id = f.capture_id
