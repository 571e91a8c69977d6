-- Domains that posts link to, counted in the current text of each post.
SELECT
  p.clinic_id,
  l.domain,
  count(*) AS links,
  count(DISTINCT p.post_id) AS posts,
  min(p.published_on) AS first_published_on,
  max(p.published_on) AS last_published_on
FROM posts AS p
JOIN links AS l ON l.revision_id = p.revision_id
WHERE l.domain IS NOT NULL
GROUP BY p.clinic_id, l.domain
