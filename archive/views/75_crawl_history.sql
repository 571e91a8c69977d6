-- Every visit to a clinic: when, how long and how it ended, where posts were found, and what was new.
SELECT
  r.started_at,
  r.clinic_id,
  r.status,
  r.complete,
  round(1440 * (julianday(r.ended_at) - julianday(r.started_at)), 1) AS minutes,
  r.discovered,
  json_extract(r.found_in, '$.sitemap') AS in_sitemap,
  json_extract(r.found_in, '$.feed') AS in_feed,
  json_extract(r.found_in, '$.listing') AS in_listing,
  json_extract(r.found_in, '$.related') AS in_related,
  r.fetched,
  r.unchanged,
  r.gone,
  r.failed,
  r.new_posts,
  r.new_revisions AS edits,
  r.readings,
  r.comments,
  r.posts AS posts_in_all,
  round(r.wire_bytes / 1e6, 2) AS megabytes,
  (SELECT count(*) FROM problems AS p WHERE p.clinic_id = r.clinic_id AND p.crawl_id = r.crawl_id) AS problems,
  r.note,
  c.software,
  r.crawl_id
FROM clinic_runs AS r
JOIN crawls AS c ON c.crawl_id = r.crawl_id
