WITH matched AS (
  SELECT p.post_id, p.clinic_id
  FROM posts AS p
  JOIN cache_matched AS m ON m.revision_id = p.revision_id
  WHERE p.removed_at IS NULL AND p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
),
found AS (
  SELECT c.*
  FROM claims AS c
  JOIN matched AS m ON m.post_id = c.post_id
  WHERE c.shown_now AND c.newest_version AND (:category = '' OR c.category = :category)
)
SELECT
  f.clinic_id,
  f.title,
  f.published_on,
  f.category,
  f.sentence,
  f.rule,
  f.negated,
  f.risk_in_post,
  (SELECT count(DISTINCT g.post_id) FROM found AS g WHERE NOT g.negated) AS posts_with_match,
  (SELECT count(*) FROM matched) AS posts,
  (SELECT count(DISTINCT g.clinic_id) FROM found AS g WHERE NOT g.negated) AS clinics_with_match,
  (SELECT count(DISTINCT m.clinic_id) FROM matched AS m) AS clinics,
  f.slug,
  f.stamp,
  f.revision_id,
  f.post_id,
  f.url
FROM found AS f
ORDER BY f.clinic_id, f.published_on DESC NULLS LAST, f.post_id, f.position, f.rule
