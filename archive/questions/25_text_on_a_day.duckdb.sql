SELECT
  r.captured_at AS seen_from,
  p.clinic_id,
  r.title,
  r.word_count,
  r.body_text,
  r.content_sha256,
  r.revision_id,
  r.capture_id,
  p.post_id,
  p.url
FROM posts AS p
JOIN revisions AS current ON current.revision_id = p.revision_id
JOIN revisions AS r ON r.post_id = p.post_id AND r.source = current.source
WHERE p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
  AND r.captured_at < CAST(coalesce(
    CAST(nullif(:day, '') AS DATE), CAST(now() AT TIME ZONE 'UTC' AS DATE)) + 1 AS TIMESTAMP) AT TIME ZONE 'UTC'
QUALIFY row_number() OVER (
  PARTITION BY p.post_id ORDER BY r.captured_at DESC, r.extractor_version DESC, r.revision_id DESC) = 1
ORDER BY p.clinic_id, p.published_at DESC NULLS LAST, p.post_id
