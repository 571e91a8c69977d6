-- Posts that match a claim rule
-- Sentences of the current texts that match a rule, with the number of posts and clinics that were matched: the
-- denominators. A match says "matches rule", never that a sentence is false; negated is 1 where the sentence denies it.
-- Removed posts are left out. `clinic-archive lexicon list` prints the rules and categories.
-- group: texts
-- :category (category) = ; a category of rules, empty for all
-- :clinic (clinic) = ; a clinic, empty for all
-- integer: posts_with_match, posts, clinics_with_match, clinics
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
  WHERE c.shown_now = 1 AND c.newest_version = 1 AND (:category = '' OR c.category = :category)
)
SELECT
  clinic_id,
  title,
  published_on,
  category,
  sentence,
  rule,
  negated,
  risk_in_post,
  (SELECT count(DISTINCT post_id) FROM found WHERE negated = 0) AS posts_with_match,
  (SELECT count(*) FROM matched) AS posts,
  (SELECT count(DISTINCT clinic_id) FROM found WHERE negated = 0) AS clinics_with_match,
  (SELECT count(DISTINCT clinic_id) FROM matched) AS clinics,
  slug,
  stamp,
  revision_id,
  post_id,
  url
FROM found
ORDER BY clinic_id, published_on DESC, post_id, position, rule
