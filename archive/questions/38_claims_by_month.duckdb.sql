WITH matched AS (
  SELECT
    p.post_id,
    p.clinic_id,
    strftime(coalesce(p.published_on, CAST(p.published_at AT TIME ZONE 'UTC' AS DATE)), '%Y-%m') AS month
  FROM posts AS p
  JOIN cache_matched AS m ON m.revision_id = p.revision_id
  WHERE p.removed_at IS NULL AND p.published_at IS NOT NULL
    AND p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
),
found AS (
  SELECT c.post_id, bool_or(c.risk_in_post) AS risk_in_post
  FROM claims AS c
  WHERE c.shown_now AND c.newest_version AND NOT c.negated AND (:category = '' OR c.category = :category)
  GROUP BY c.post_id
)
SELECT
  m.month,
  m.clinic_id,
  count(f.post_id) AS posts_with_match,
  count(*) FILTER (WHERE NOT f.risk_in_post) AS without_risk_statement,
  count(*) AS posts,
  round(100.0 * count(f.post_id) / count(*), 1) AS percent
FROM matched AS m
LEFT JOIN found AS f ON f.post_id = m.post_id
GROUP BY m.month, m.clinic_id
ORDER BY m.month, m.clinic_id
