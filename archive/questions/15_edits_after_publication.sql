-- Posts that were edited after publication
-- The interval of each edit: after the old text was last seen, before the new text was first seen. Days are counted
-- from publication until the new text was first seen.
-- group: edits
-- :clinic (clinic) = ; a clinic, empty for all
-- :days (number) = 0; minimum number of days after publication
-- integer: days_after_publication
-- timestamp: changed_after, changed_before
SELECT
  e.old_last_seen_at AS changed_after,
  e.new_first_seen_at AS changed_before,
  CAST(julianday(e.new_first_seen_at) - julianday(p.published_at) AS INTEGER) AS days_after_publication,
  e.title,
  e.clinic_id,
  e.words_added,
  e.title_before,
  p.published_on,
  e.modified_at_claimed,
  e.old_revision_id,
  e.revision_id,
  e.post_id,
  e.url
FROM edited_posts AS e
JOIN posts AS p ON p.post_id = e.post_id
WHERE e.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
  AND julianday(e.new_first_seen_at) - julianday(p.published_at) >= CAST(:days AS REAL)
ORDER BY e.new_first_seen_at DESC
