-- The evidence for every text of a post: the capture it was read from, and its place in a WARC file.
-- A revisit record has no body: file, offset and length are then those of the record with the same payload.
-- For a post without a text in the archive it gives the first capture that showed the post.
SELECT
  t.post_id,
  t.clinic_id,
  t.title,
  t.revision_id,
  t.kind,
  t.shown_now,
  c.fetched_at,
  c.url,
  c.http_status,
  coalesce(o.warc_file, c.warc_file) AS warc_file,
  coalesce(o.warc_offset, c.warc_offset) AS warc_offset,
  coalesce(o.warc_length, c.warc_length) AS warc_length,
  c.payload_sha256,
  t.content_sha256,
  t.extractor_version,
  c.record_type,
  t.capture_id
FROM (
  SELECT
    p.post_id,
    p.clinic_id,
    p.title,
    r.revision_id,
    r.kind,
    r.revision_id IS p.revision_id AND r.revision_id IS NOT NULL AS shown_now,
    r.content_sha256,
    r.extractor_version,
    coalesce(r.capture_id, (
      SELECT s.capture_id FROM sightings AS s WHERE s.post_id = p.post_id AND s.source = 'post'
      ORDER BY s.seen_at LIMIT 1)) AS capture_id
  FROM posts AS p
  LEFT JOIN revisions AS r ON r.post_id = p.post_id
) AS t
LEFT JOIN captures AS c ON c.capture_id = t.capture_id
LEFT JOIN captures AS o ON o.capture_id = c.refers_to AND c.record_type = 'revisit'
