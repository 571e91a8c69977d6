SELECT
  round(24 * (julian(r.replied_at AT TIME ZONE 'UTC') - julian(c.posted_at AT TIME ZONE 'UTC')), 1) AS hours_to_reply,
  c.posted_at,
  r.replied_at,
  c.body_text,
  p.title AS post_title,
  c.clinic_id,
  c.comment_id,
  c.post_id
FROM (
  SELECT m.parent_id, min(m.posted_at) AS replied_at
  FROM comments AS m
  WHERE m.author_kind = 'staff' AND m.type = 'comment' AND m.parent_id IS NOT NULL
    AND m.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
  GROUP BY m.parent_id
) AS r
JOIN comments AS c ON c.comment_id = r.parent_id
JOIN posts AS p ON p.post_id = c.post_id
WHERE c.author_kind != 'staff' AND c.type = 'comment'
ORDER BY hours_to_reply IS NULL, hours_to_reply, c.comment_id
