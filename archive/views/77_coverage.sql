-- Every clinic day by day (UTC), from its first visit to the archive's last day: the best result of the day's visits.
WITH RECURSIVE run AS (
  SELECT
    r.*,
    substr(r.started_at, 1, 10) AS day,
    -- A complete visit; a day with one counts as observed.
    r.status = 'done' AND r.complete = 1 AND coalesce(r.failed, 0) = 0 AND coalesce(r.waiting, 0) = 0 AS whole,
    r.status = 'no-blog' OR (r.status = 'done' AND r.discovered = 0) AS found_none,
    -- A visit without a recorded end (running or killed) has no numbers: they are counted from its rows.
    coalesce(r.fetched, (
      SELECT count(DISTINCT s.post_id) FROM captures AS c JOIN sightings AS s ON s.capture_id = c.capture_id
      WHERE c.crawl_id = r.crawl_id AND c.clinic_id = r.clinic_id AND s.source = 'post'
    )) AS was_read,
    coalesce(r.gone, (
      SELECT count(DISTINCT a.post_id) FROM captures AS c JOIN absences AS a ON a.capture_id = c.capture_id
      WHERE c.crawl_id = r.crawl_id AND c.clinic_id = r.clinic_id AND a.comment_id IS NULL
    )) AS was_gone,
    (
      SELECT count(*) FROM captures AS c
      WHERE c.clinic_id = r.clinic_id AND c.crawl_id = r.crawl_id AND c.quality IS NOT NULL
    ) AS doubtful
  FROM clinic_runs AS r
  JOIN crawls AS k ON k.crawl_id = r.crawl_id
  WHERE k.kind IS NULL OR k.kind = 'crawl'
), visits AS (
  SELECT
    t.clinic_id,
    t.day,
    t.whole,
    t.was_read,
    t.failed,
    t.doubtful,
    -- 1 observed, 2 partial, 3 no-blog, 4 refused, 5 failed
    CASE
      WHEN t.whole THEN 1
      -- If posts of the clinic are known, or its platform is one that is not read, finding none is a failure.
      WHEN t.found_none THEN CASE WHEN EXISTS (
          SELECT 1 FROM posts AS p WHERE p.clinic_id = t.clinic_id AND p.first_seen_at < date(t.day, '+1 day')
        ) OR EXISTS (
          SELECT 1 FROM clinics AS c WHERE c.clinic_id = t.clinic_id AND c.blog_status = 'unsupported'
        ) THEN 5 ELSE 3 END
      -- A visit that was led to another site, cut short or killed before it reached a post is no observation.
      WHEN t.status != 'failed' AND (
        t.status NOT IN ('cut-short', 'moved_or_gone', 'running') OR t.was_read + t.was_gone > 0
      ) THEN 2
      -- robots.txt disallows the home page, so that the visit failed, or as many posts as could not be read.
      WHEN (
        SELECT count(DISTINCT CASE WHEN EXISTS (
            SELECT 1 FROM sightings AS s WHERE s.clinic_id = p.clinic_id AND s.url = p.url
          ) THEN p.url END) >= max(t.failed, 1)
          OR max(instr(t.note, p.message)) = 1
        FROM problems AS p
        WHERE p.clinic_id = t.clinic_id AND p.happened_at >= t.started_at
          AND p.happened_at < date(coalesce(t.ended_at, t.started_at), '+2 days')
          AND p.crawl_id = t.crawl_id AND p.kind = 'robots-refused' AND p.message LIKE '%robots.txt forbids it%'
      ) THEN 4
      ELSE 5
    END AS result,
    ltrim(CASE
      WHEN t.note IS NOT NULL THEN t.note
      WHEN t.status = 'running' THEN 'running, or its end was not recorded'
      WHEN t.failed > 0 THEN t.failed || ' posts could not be read'
      WHEN t.waiting > 0 THEN t.waiting || ' posts that were due wait for a later visit'
      WHEN t.limited = 1 THEN 'a limit was reached: posts may have been left out'
      ELSE ''
    END || CASE WHEN t.doubtful > 0 THEN '; ' || t.doubtful || ' doubtful answers (' || (
        SELECT group_concat(DISTINCT c.quality) FROM captures AS c
        WHERE c.clinic_id = t.clinic_id AND c.crawl_id = t.crawl_id AND c.quality IS NOT NULL
      ) || ')' ELSE '' END, '; ') AS note
  FROM run AS t
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
  CASE min(result)
    WHEN 1 THEN 'observed' WHEN 2 THEN 'partial' WHEN 3 THEN 'no-blog' WHEN 4 THEN 'refused' WHEN 5 THEN 'failed'
    WHEN 6 THEN 'not-attempted' ELSE 'closed'
  END AS state,
  count(visit) AS runs,
  count(CASE WHEN whole THEN 1 END) AS complete_runs,
  max(was_read) AS posts_read,
  max(failed) AS not_read,
  -- The note of the worst visit.
  nullif(substr(max(CASE WHEN visit THEN result || note END), 2), '') AS reason,
  -- Answers of the day's visits that were something else than the page: a wall, a parking page, an empty one.
  sum(doubtful) AS doubtful
FROM (
  SELECT clinic_id, day, result, 1 AS visit, whole, was_read, failed, note, doubtful FROM visits
  UNION ALL
  -- Each day of a clinic once more, so that days without a visit have a row.
  SELECT s.clinic_id, d.day, CASE WHEN d.day >= s.closed_on THEN 7 ELSE 6 END, NULL, NULL, NULL, NULL, NULL, NULL
  FROM (
    -- Without a closing date (an older version stored none) a clinic is closed from the day after its last visit.
    SELECT c.clinic_id, min(v.day) AS first,
      coalesce(c.closed_on, CASE WHEN c.blog_status = 'closed' THEN date(max(v.day), '+1 day') END) AS closed_on
    FROM clinics AS c JOIN visits AS v ON v.clinic_id = c.clinic_id GROUP BY c.clinic_id
  ) AS s
  JOIN days AS d ON d.day >= s.first
)
GROUP BY clinic_id, day
