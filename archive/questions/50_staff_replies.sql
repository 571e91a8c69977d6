-- How soon the clinic answers its readers
-- Hours from a reader's comment to the first reply by the clinic's own people; NULL where none of them replied.
-- :clinic (clinic) = ; a clinic, empty for all
SELECT
  round(24 * (julianday(min(r.posted_at)) - julianday(c.posted_at)), 1) AS hours_to_reply,
  c.posted_at,
  min(r.posted_at) AS replied_at,
  c.body_text,
  p.title AS post_title,
  c.clinic_id,
  c.comment_id,
  c.post_id
FROM comments AS c
JOIN posts AS p ON p.post_id = c.post_id
LEFT JOIN comments AS r ON r.parent_id = c.comment_id AND r.author_kind = 'staff'
WHERE c.author_kind != 'staff' AND (:clinic = '' OR c.clinic_id = :clinic)
GROUP BY c.comment_id
ORDER BY replied_at IS NULL, hours_to_reply
