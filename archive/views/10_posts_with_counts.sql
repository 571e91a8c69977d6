-- Every post with its last known views, likes and number of comments, each with its date and source.
-- A counter is the last one read from any source. Values repeated after a 304 are left out: they are older than their
-- date. Of several extractor versions for one capture, the newest counts. A counter that was never read is NULL, not 0.
SELECT
  p.post_id,
  p.clinic_id,
  p.published_on,
  p.title,
  v.views,
  l.likes,
  n.comments_count,
  (SELECT count(*) FROM comments AS c WHERE c.post_id = p.post_id)
    - (SELECT count(*) FROM comments AS c WHERE c.clinic_id = p.clinic_id AND c.post_id = p.post_id AND c.type <> 'comment')
    AS comments_kept,
  (SELECT count(*) FROM readings AS r WHERE r.post_id = p.post_id AND r.evidence = 'read') AS readings,
  -- A page and an API that give the same new text in one run show one edit.
  (SELECT count(DISTINCT coalesce(c.crawl_id, '') || r.content_sha256) FROM revisions AS r JOIN captures AS c USING (capture_id)
    WHERE r.post_id = p.post_id AND r.kind = 'content') AS edits,
  p.author,
  p.language,
  p.word_count,
  v.read_at AS views_read_at,
  v.source AS views_source,
  l.read_at AS likes_read_at,
  l.source AS likes_source,
  n.read_at AS comments_read_at,
  n.source AS comments_source,
  p.published_at,
  p.first_seen_at,
  p.last_seen_at,
  p.removed_at,
  p.url,
  (SELECT count(*) FROM comments AS c WHERE c.clinic_id = p.clinic_id AND c.post_id = p.post_id AND c.type <> 'comment')
    AS notices_kept,
  p.access
FROM posts AS p
LEFT JOIN readings AS v ON v.rowid = (
  SELECT r.rowid FROM readings AS r
  WHERE r.post_id = p.post_id AND r.evidence = 'read' AND r.views IS NOT NULL
  ORDER BY r.read_at DESC, r.extractor_version DESC, r.source LIMIT 1)
LEFT JOIN readings AS l ON l.rowid = (
  SELECT r.rowid FROM readings AS r
  WHERE r.post_id = p.post_id AND r.evidence = 'read' AND r.likes IS NOT NULL
  ORDER BY r.read_at DESC, r.extractor_version DESC, r.source LIMIT 1)
LEFT JOIN readings AS n ON n.rowid = (
  SELECT r.rowid FROM readings AS r
  WHERE r.post_id = p.post_id AND r.evidence = 'read' AND r.comments_count IS NOT NULL
  ORDER BY r.read_at DESC, r.extractor_version DESC, r.source LIMIT 1)
