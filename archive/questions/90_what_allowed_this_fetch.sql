-- What allowed this fetch?
-- For a capture, or each capture of an address: the robots.txt in force, what the answer says to robots, the delay and
-- the User-Agent of the visit. The rules are in the record of robots_capture_id.
-- group: quality
-- :capture (word) = ; id of a capture, or a URL; such as https://clinic.example/post/sleep
SELECT
  fetched_at,
  url,
  allowed_by,
  robots_url,
  robots_status,
  robots_fetched_at,
  robots_sha256,
  robots_capture_id,
  x_robots_tag,
  robots_meta,
  delay,
  user_agent,
  software,
  clinic_id,
  capture_id,
  crawl_id
FROM fetch_policies
WHERE capture_id IN (SELECT c.capture_id FROM captures AS c WHERE c.capture_id = :capture OR c.url = :capture)
ORDER BY fetched_at DESC
