-- Comments whose text or status changed: each earlier state beside the current one.
SELECT
  r.comment_id,
  c.post_id,
  c.clinic_id,
  p.title AS post_title,
  r.captured_at AS old_first_seen_at,
  later.fetched_at AS present_first_seen_at,
  r.body_text AS old_text,
  c.body_text AS present_text,
  r.status AS old_status,
  c.status AS present_status,
  c.author,
  c.author_kind,
  r.capture_id AS old_capture_id,
  c.capture_id
FROM comment_revisions AS r
JOIN comments AS c ON c.comment_id = r.comment_id
JOIN posts AS p ON p.post_id = c.post_id
JOIN captures AS later ON later.capture_id = c.capture_id
