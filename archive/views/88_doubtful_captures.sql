-- Answers that were something else than the page: a bot wall, a parking page, an expired plan, an empty page.
SELECT
  c.clinic_id,
  c.url,
  c.fetched_at,
  c.quality,
  (
    SELECT p.message FROM problems AS p WHERE p.capture_id = c.capture_id AND p.kind = c.quality LIMIT 1
  ) AS message,
  c.http_status,
  c.via,
  c.crawl_id,
  c.capture_id
FROM captures AS c
WHERE c.quality IS NOT NULL
