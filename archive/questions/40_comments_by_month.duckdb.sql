SELECT
  strftime(c.posted_at AT TIME ZONE 'UTC', '%Y-%m') AS month,
  any_value(p.title) AS title,
  any_value(c.clinic_id) AS clinic_id,
  c.author_kind,
  count(*) AS comments,
  c.post_id,
  any_value(p.url) AS url
FROM comments AS c
JOIN posts AS p ON p.post_id = c.post_id
WHERE c.posted_at IS NOT NULL AND c.type = 'comment' AND c.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
GROUP BY month, c.post_id, c.author_kind
ORDER BY month DESC, comments DESC, c.post_id
