-- Edits of posts, with the words that each removed and added.
-- Derived by `clinic-archive derive`, which each crawl calls: an edit that is not derived yet is in edited_posts alone.
SELECT
  e.edit_id,
  e.clinic_id,
  e.post_id,
  p.title,
  e.kind,
  e.removed,
  e.added,
  e.words_removed,
  e.words_added,
  e.old_last_seen_at,
  e.new_first_seen_at,
  round(24 * (julianday(e.new_first_seen_at) - julianday(e.old_last_seen_at)), 2) AS hours_between,
  iif(o.title IS NOT n.title, o.title, NULL) AS title_before,
  e.source,
  e.old_revision_id,
  e.revision_id,
  e.old_capture_id,
  e.capture_id,
  e.crawl_id,
  p.url
FROM cache_edits AS e
JOIN posts AS p ON p.post_id = e.post_id
JOIN revisions AS o ON o.revision_id = e.old_revision_id
JOIN revisions AS n ON n.revision_id = e.revision_id
