-- Text of the posts on a day
-- For each post that had been seen by then: the newest revision that was first seen on that day or before.
-- group: edits
-- :day (date) = ; the day, empty for today
-- :clinic (clinic) = ; a clinic, empty for all
-- timestamp: seen_from
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
JOIN revisions AS r ON r.revision_id = (
  SELECT r2.revision_id FROM revisions AS r2
  WHERE r2.post_id = p.post_id AND r2.source = current.source
    AND r2.captured_at < date(iif(:day = '', 'now', :day), '+1 day')
  ORDER BY r2.captured_at DESC, r2.extractor_version DESC, r2.revision_id DESC LIMIT 1)
WHERE p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
ORDER BY p.clinic_id, p.published_at DESC, p.post_id
