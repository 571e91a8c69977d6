-- Days from publication to the first comment
-- For posts with comments in the archive; both dates as the page gives them.
-- group: comments
-- :clinic (clinic) = ; a clinic, empty for all
-- number: days_to_first_comment
-- chart: point x=published_on y=days_to_first_comment
SELECT
  round(julianday(min(c.posted_at)) - julianday(p.published_at), 1) AS days_to_first_comment,
  p.published_on,
  min(c.posted_at) AS first_comment_at,
  count(*) AS comments,
  p.title,
  p.clinic_id,
  p.post_id,
  p.url
FROM comments AS c
JOIN posts AS p ON p.post_id = c.post_id
WHERE c.posted_at IS NOT NULL AND c.type = 'comment' AND p.published_at IS NOT NULL
  AND c.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
GROUP BY p.post_id
ORDER BY days_to_first_comment
