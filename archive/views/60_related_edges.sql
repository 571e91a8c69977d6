-- Links from post to post under "Recent Posts": each card, and the post it links to if that is in the archive.
-- A card is in the newest set if no later capture of the post showed other cards without it.
SELECT
  r.post_id,
  p.title,
  r.position,
  a.post_id AS related_post_id,
  coalesce(q.title, r.title) AS related_title,
  r.related_url,
  r.excerpt,
  (SELECT c.fetched_at FROM captures AS c WHERE c.capture_id = r.first_capture_id) AS first_shown_at,
  (SELECT c.fetched_at FROM captures AS c WHERE c.capture_id = r.last_capture_id) AS last_shown_at,
  NOT EXISTS (
    SELECT 1 FROM related_posts AS other
    WHERE other.post_id = r.post_id
      AND (SELECT c.fetched_at FROM captures AS c WHERE c.capture_id = other.last_capture_id)
        > (SELECT c.fetched_at FROM captures AS c WHERE c.capture_id = r.last_capture_id)
  ) AS in_newest_set,
  p.clinic_id,
  r.last_capture_id
FROM related_posts AS r
JOIN posts AS p ON p.post_id = r.post_id
LEFT JOIN post_addresses AS a ON a.clinic_id = p.clinic_id AND a.address = r.related_url
LEFT JOIN posts AS q ON q.post_id = a.post_id
