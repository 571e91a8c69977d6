SELECT
  round(julian(min(c.posted_at) AT TIME ZONE 'UTC') - julian(any_value(p.published_at) AT TIME ZONE 'UTC'), 1)
    AS days_to_first_comment,
  any_value(p.published_on) AS published_on,
  min(c.posted_at) AS first_comment_at,
  count(*) AS comments,
  any_value(p.title) AS title,
  any_value(p.clinic_id) AS clinic_id,
  p.post_id,
  any_value(p.url) AS url
FROM comments AS c
JOIN posts AS p ON p.post_id = c.post_id
WHERE c.posted_at IS NOT NULL AND c.type = 'comment' AND p.published_at IS NOT NULL
  AND c.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
GROUP BY p.post_id
ORDER BY days_to_first_comment
