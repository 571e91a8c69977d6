-- Edits of posts: the text changed after the old text was last seen and before the new text was first seen.
-- Only revisions of kind `content`: a text that another parser version or another source reads differently is no edit.
-- The old text is the last one of the same source; a capture that showed it and an answer of 304 both count as seen.
SELECT
  e.post_id,
  e.clinic_id,
  e.title,
  e.old_last_seen_at,
  e.new_first_seen_at,
  round(24 * (julianday(e.new_first_seen_at) - julianday(e.old_last_seen_at)), 2) AS hours_between,
  o.word_count AS words_before,
  e.words_after,
  e.words_after - o.word_count AS words_added,
  iif(o.title IS NOT e.new_title, o.title, NULL) AS title_before,
  e.modified_at AS modified_at_claimed,
  e.source,
  e.old_revision_id,
  e.revision_id,
  o.capture_id AS old_capture_id,
  e.capture_id,
  e.url
FROM (
  SELECT
    n.post_id,
    p.clinic_id,
    p.title,
    (
      SELECT s.seen_at FROM sightings AS s JOIN revisions AS seen ON seen.revision_id = s.revision_id
      WHERE s.post_id = n.post_id AND seen.source = n.source AND s.seen_at < n.captured_at
      ORDER BY s.seen_at DESC LIMIT 1
    ) AS old_last_seen_at,
    n.captured_at AS new_first_seen_at,
    n.word_count AS words_after,
    n.title AS new_title,
    n.modified_at,
    n.source,
    (
      SELECT b.revision_id FROM revisions AS b
      WHERE b.post_id = n.post_id AND b.source = n.source
        AND (b.captured_at, b.revision_id) < (n.captured_at, n.revision_id)
      ORDER BY b.captured_at DESC, b.revision_id DESC LIMIT 1
    ) AS old_revision_id,
    n.revision_id,
    n.capture_id,
    p.url
  FROM revisions AS n
  JOIN posts AS p ON p.post_id = n.post_id
  WHERE n.kind = 'content'
) AS e
LEFT JOIN revisions AS o ON o.revision_id = e.old_revision_id
