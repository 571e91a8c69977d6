-- Claims by month and clinic
-- The number of posts published in a month whose current text has a sentence that matches a rule of a category and does
-- not deny it, the number of those without a risk statement, and the number of all posts of the month that were matched.
-- A match says "matches rule", never that a sentence is false. Removed posts are left out.
-- group: texts
-- :category (category) = ; a category of rules, empty for all
-- :clinic (clinic) = ; a clinic, empty for all
-- integer: posts_with_match, without_risk_statement, posts
-- number: percent
-- text: month
-- chart: line x=month y=percent color=clinic_id
WITH matched AS (
  SELECT p.post_id, p.clinic_id, substr(coalesce(p.published_on, p.published_at), 1, 7) AS month
  FROM posts AS p
  JOIN cache_matched AS m ON m.revision_id = p.revision_id
  WHERE p.removed_at IS NULL AND p.published_at IS NOT NULL
    AND p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
),
found AS (
  SELECT post_id, max(risk_in_post) AS risk_in_post
  FROM claims
  WHERE shown_now = 1 AND newest_version = 1 AND negated = 0 AND (:category = '' OR category = :category)
  GROUP BY post_id
)
SELECT
  m.month,
  m.clinic_id,
  count(f.post_id) AS posts_with_match,
  count(iif(f.risk_in_post = 0, 1, NULL)) AS without_risk_statement,
  count(*) AS posts,
  round(100.0 * count(f.post_id) / count(*), 1) AS percent
FROM matched AS m
LEFT JOIN found AS f ON f.post_id = m.post_id
GROUP BY m.month, m.clinic_id
ORDER BY m.month, m.clinic_id
