-- Every clinic day by day (UTC), from its first visit to the last day of the archive: what the day's best visit came to.
WITH RECURSIVE visits AS (
  SELECT
    r.clinic_id,
    substr(r.started_at, 1, 10) AS day,
    r.complete = 1 AND coalesce(r.failed, 0) = 0 AS complete,
    r.fetched,
    r.failed,
    -- 1 observed, 2 partial, 3 no-blog, 4 refused, 5 failed
    CASE
      WHEN r.status = 'done' AND r.complete = 1 AND coalesce(r.failed, 0) = 0 AND coalesce(r.waiting, 0) = 0 THEN 1
      WHEN r.status = 'no-blog' OR (r.status = 'done' AND r.discovered = 0) THEN 3
      -- One that was led away, or cut short before it met a post, saw nothing.
      WHEN r.status != 'failed' AND (
        r.status NOT IN ('cut-short', 'moved_or_gone') OR coalesce(r.fetched, 1) + coalesce(r.gone, 0) > 0
      ) THEN 2
      -- robots.txt forbade the home page, which is then why the visit failed; or as many posts as were not read.
      WHEN (
        SELECT count(DISTINCT CASE WHEN EXISTS (
            SELECT 1 FROM sightings AS s WHERE s.clinic_id = p.clinic_id AND s.url = p.url
          ) THEN p.url END) >= max(r.failed, 1)
          OR max(instr(r.note, p.message)) = 1
        FROM problems AS p
        WHERE p.clinic_id = r.clinic_id AND p.happened_at >= r.started_at
          AND p.happened_at < date(coalesce(r.ended_at, r.started_at), '+2 days')
          AND p.crawl_id = r.crawl_id AND p.kind = 'robots-refused' AND p.message LIKE '%robots.txt forbids it%'
      ) THEN 4
      ELSE 5
    END AS came_to,
    CASE
      WHEN r.note IS NOT NULL THEN r.note
      WHEN r.status = 'running' THEN 'goes on, or ended without a word'
      WHEN r.failed > 0 THEN r.failed || ' posts could not be read'
      WHEN r.waiting > 0 THEN r.waiting || ' posts that were due wait for another visit'
      WHEN r.limited = 1 THEN 'a bound was met: posts may have been left out'
      ELSE ''
    END AS note
  FROM clinic_runs AS r
  JOIN crawls AS k ON k.crawl_id = r.crawl_id
  WHERE k.kind IS NULL OR k.kind = 'crawl'
), known AS MATERIALIZED (
  SELECT min(day) AS first, max(day) AS last FROM visits
), days(day) AS (
  SELECT first FROM known WHERE first IS NOT NULL
  UNION ALL
  SELECT date(day, '+1 day') FROM days WHERE day < (SELECT last FROM known)
)
SELECT
  day,
  clinic_id,
  CASE min(came_to)
    WHEN 1 THEN 'observed' WHEN 2 THEN 'partial' WHEN 3 THEN 'no-blog' WHEN 4 THEN 'refused' WHEN 5 THEN 'failed'
    WHEN 6 THEN 'not-attempted' ELSE 'closed'
  END AS state,
  count(visit) AS runs,
  count(CASE WHEN complete THEN 1 END) AS complete_runs,
  max(fetched) AS posts_read,
  max(failed) AS not_read,
  -- Of the worst of its visits.
  nullif(substr(max(CASE WHEN visit THEN came_to || note END), 2), '') AS reason
FROM (
  SELECT clinic_id, day, came_to, 1 AS visit, complete, fetched, failed, note FROM visits
  UNION ALL
  -- Each day of a clinic once more, so that those without a visit are there as well.
  SELECT s.clinic_id, d.day, CASE WHEN s.closed AND d.day > s.last THEN 7 ELSE 6 END, NULL, NULL, NULL, NULL, NULL
  FROM (
    SELECT c.clinic_id, c.blog_status = 'closed' AS closed, min(v.day) AS first, max(v.day) AS last
    FROM clinics AS c JOIN visits AS v ON v.clinic_id = c.clinic_id GROUP BY c.clinic_id
  ) AS s
  JOIN days AS d ON d.day >= s.first
)
GROUP BY clinic_id, day
