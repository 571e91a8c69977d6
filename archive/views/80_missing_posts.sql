-- Posts that were missing when requested: how often, what was answered, and whether they were seen since.
-- This is evidence; a removal is confirmed only by two complete runs at least 20 hours apart (`removed_at`).
SELECT
  a.post_id,
  p.clinic_id,
  p.title,
  a.answered,
  a.times,
  a.first_missing_at,
  a.last_missing_at,
  (SELECT max(s.seen_at) FROM sightings AS s WHERE s.post_id = a.post_id AND s.source = 'post') AS last_read_at,
  (SELECT max(s.seen_at) FROM sightings AS s WHERE s.post_id = a.post_id AND s.source != 'post') AS last_named_at,
  p.removed_at,
  p.url
FROM (
  SELECT
    post_id,
    answered,
    count(*) AS times,
    min(seen_at) AS first_missing_at,
    max(seen_at) AS last_missing_at
  FROM absences
  WHERE post_id IS NOT NULL AND comment_id IS NULL
  GROUP BY post_id, answered
) AS a
JOIN posts AS p ON p.post_id = a.post_id
