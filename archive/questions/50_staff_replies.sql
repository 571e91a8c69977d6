-- Time until the clinic replies to its readers
-- Hours from a reader's comment to the first reply by the clinic's staff, with the text of the comment.
-- group: comments
-- :clinic (clinic) = ; a clinic, empty for all
-- number: hours_to_reply
-- timestamp or date: replied_at
SELECT
  round(24 * (julianday(r.replied_at) - julianday(c.posted_at)), 1) AS hours_to_reply,
  c.posted_at,
  r.replied_at,
  c.body_text,
  p.title AS post_title,
  c.clinic_id,
  c.comment_id,
  c.post_id
FROM (
  SELECT parent_id, min(posted_at) AS replied_at
  FROM comments
  WHERE author_kind = 'staff' AND type = 'comment' AND parent_id IS NOT NULL
    AND clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
  GROUP BY parent_id
) AS r
JOIN comments AS c ON c.comment_id = r.parent_id
JOIN posts AS p ON p.post_id = c.post_id
WHERE c.author_kind != 'staff' AND c.type = 'comment'
ORDER BY hours_to_reply IS NULL, hours_to_reply, c.comment_id
