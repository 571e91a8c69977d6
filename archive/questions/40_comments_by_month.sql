-- Comments per post and month
-- The number of a post's comments written in a month. Comments without a date are left out.
-- group: comments
-- :clinic (clinic) = ; a clinic, empty for all
-- text: month
-- chart: bar x=month y=comments color=author_kind
SELECT
  substr(c.posted_at, 1, 7) AS month,
  p.title,
  c.clinic_id,
  c.author_kind,
  count(*) AS comments,
  c.post_id,
  p.url
FROM comments AS c
JOIN posts AS p ON p.post_id = c.post_id
WHERE c.posted_at IS NOT NULL AND c.type = 'comment' AND c.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
GROUP BY month, c.post_id, c.author_kind
ORDER BY month DESC, comments DESC, c.post_id
