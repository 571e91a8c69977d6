-- What the posts said on a day
-- Of each post that had been seen by then: the wording that was last seen on that day or before.
-- :day (date) = ; the day, empty for today
-- :clinic (clinic) = ; a clinic, empty for all
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
JOIN revisions AS shown ON shown.revision_id = p.revision_id
JOIN revisions AS r ON r.revision_id = (
  SELECT one.revision_id FROM revisions AS one
  WHERE one.post_id = p.post_id AND one.source = shown.source
    AND one.captured_at < date(iif(:day = '', 'now', :day), '+1 day')
  ORDER BY one.captured_at DESC, one.extractor_version DESC, one.revision_id DESC LIMIT 1)
WHERE p.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
ORDER BY p.clinic_id, p.published_at DESC, p.post_id
