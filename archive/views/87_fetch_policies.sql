-- What allowed each fetch: the robots.txt in force, what the answer says to robots, the visit's delay and User-Agent.
-- In force is the last answer for robots.txt of the same host before the fetch, in the same run; where that was a
-- redirect, the answer to which it led. The rules are in the record of robots_capture_id. A fetch of a backfill was made
-- at the web archive, so that it is that host's robots.txt.
SELECT
  t.capture_id,
  t.clinic_id,
  t.fetched_at,
  t.url,
  t.http_status,
  CASE
    WHEN t.kind = 'import' THEN 'imported'
    WHEN EXISTS (
      SELECT 1 FROM problems AS p WHERE p.capture_id = t.capture_id AND p.kind = 'robots-refused') THEN 'refused'
    WHEN t.asked = t.robots_url THEN 'is robots.txt'
    WHEN f.http_status BETWEEN 200 AND 299 THEN 'robots.txt'
    WHEN f.http_status BETWEEN 400 AND 499 AND f.http_status <> 429 THEN 'no robots.txt'
  END AS allowed_by,
  f.url AS robots_url,
  f.http_status AS robots_status,
  f.fetched_at AS robots_fetched_at,
  f.payload_sha256 AS robots_sha256,
  f.capture_id AS robots_capture_id,
  t.x_robots_tag,
  coalesce(t.robots_meta, o.robots_meta) AS robots_meta,
  r.delay,
  r.user_agent,
  t.software,
  t.crawl_id
FROM (
  SELECT
    c.*,
    k.kind,
    k.software,
    CASE WHEN k.kind = 'backfill' THEN coalesce(c.retrieved_from, c.url) ELSE c.url END AS asked,
    CASE WHEN k.kind = 'backfill' THEN coalesce(c.retrieved_at, c.fetched_at) ELSE c.fetched_at END AS asked_at,
    -- https://clinic.example/robots.txt of https://clinic.example/a: the first "/" after "https://" ends the host
    CASE WHEN k.kind = 'backfill' THEN coalesce(
        substr(c.retrieved_from, 1, instr(substr(c.retrieved_from || '/', 9), '/') + 7),
        substr(c.url, 1, instr(substr(c.url || '/', 9), '/') + 7))
      ELSE substr(c.url, 1, instr(substr(c.url || '/', 9), '/') + 7) END || '/robots.txt' AS robots_url
  FROM captures AS c
  LEFT JOIN crawls AS k ON k.crawl_id = c.crawl_id) AS t
LEFT JOIN clinic_runs AS r ON r.crawl_id = t.crawl_id AND r.clinic_id = t.clinic_id
LEFT JOIN captures AS o ON o.capture_id = t.refers_to AND t.record_type = 'revisit'
LEFT JOIN captures AS a ON a.capture_id = (
  SELECT n.capture_id FROM captures AS n
  WHERE n.url = t.robots_url AND n.clinic_id = t.clinic_id AND n.crawl_id = t.crawl_id AND n.fetched_at < t.asked_at
    AND t.asked <> t.robots_url
  ORDER BY n.fetched_at DESC LIMIT 1)
LEFT JOIN captures AS f ON f.capture_id = iif(
  a.http_status BETWEEN 300 AND 399,
  coalesce((
    SELECT h.capture_id FROM captures AS h
    WHERE h.clinic_id = t.clinic_id AND h.crawl_id = t.crawl_id AND h.fetched_at > a.fetched_at
      AND h.fetched_at < t.asked_at AND h.via IS NULL AND h.http_status BETWEEN 200 AND 499
      AND h.http_status NOT BETWEEN 300 AND 399 AND h.http_status <> 429
    ORDER BY h.fetched_at LIMIT 1), a.capture_id),
  a.capture_id)
