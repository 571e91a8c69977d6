-- How many of a post's views may be visits of this archive: every request for its page can add one to the site's counter.
SELECT
  p.clinic_id,
  p.post_id,
  p.title,
  o.page_requests,
  p.views,
  CASE WHEN p.views > 0 THEN round(1.0 * o.page_requests / p.views, 4) END AS share,
  o.first_requested_at,
  o.last_requested_at,
  p.views_read_at,
  p.url
FROM posts_with_counts AS p
JOIN (
  SELECT s.post_id, count(DISTINCT s.capture_id) AS page_requests, min(c.fetched_at) AS first_requested_at,
    max(c.fetched_at) AS last_requested_at
  FROM sightings AS s JOIN captures AS c ON c.capture_id = s.capture_id
  WHERE s.source = 'post' AND c.origin = 'crawl' AND c.mime LIKE 'text/html%' AND (c.via IS NULL OR c.via = 'document')
  GROUP BY s.post_id
) AS o ON o.post_id = p.post_id
WHERE p.views IS NOT NULL
