-- Posts that were edited after publication
-- The interval of each edit: after the old text was last seen, before the new text was first seen. Days are counted
-- from publication until the new text was first seen; without a publication date they are unknown, and count as 0. A
-- word is looked for in the old and in the new text; the columns removed and added have the words that changed.
-- group: edits
-- :clinic (clinic) = ; a clinic, empty for all
-- :days (number) = 0; minimum number of days after publication
-- :word (text) = ; a word or phrase in the old or new text, empty for all edits
-- integer: days_after_publication
-- timestamp: changed_after, changed_before
-- text: kind, removed, added
SELECT
  e.old_last_seen_at AS changed_after,
  e.new_first_seen_at AS changed_before,
  CAST(julianday(e.new_first_seen_at) - julianday(p.published_at) AS INTEGER) AS days_after_publication,
  e.title,
  e.clinic_id,
  n.word_count - o.word_count AS words_added,
  e.title_before,
  p.published_on,
  n.modified_at AS modified_at_claimed,
  e.old_revision_id,
  e.revision_id,
  e.post_id,
  e.url,
  e.kind,
  e.removed,
  e.added
FROM edits AS e
JOIN posts AS p ON p.post_id = e.post_id
JOIN revisions AS o ON o.revision_id = e.old_revision_id
JOIN revisions AS n ON n.revision_id = e.revision_id
WHERE e.clinic_id BETWEEN :clinic AND coalesce(nullif(:clinic, ''), '~')
  AND coalesce(julianday(e.new_first_seen_at) - julianday(p.published_at), 0) >= CAST(:days AS REAL)
  -- Scripts without spaces have no words in the index that SQL could name: of other letters the texts are searched.
  AND (:word = '' OR (:word GLOB '*[^ -~]*' AND instr(lower(o.body_text || char(10) || n.body_text), lower(:word)) > 0)
    OR e.edit_id IN (
    SELECT rowid FROM cache_edits_fts
    WHERE cache_edits_fts MATCH '{old_text new_text} : "' || replace(:word, '"', '""') || '"'
    UNION ALL
    SELECT rowid FROM cache_edits_folded_fts
    WHERE cache_edits_folded_fts MATCH '{old_text new_text} : "' || replace(:word, '"', '""') || '"'))
ORDER BY e.new_first_seen_at DESC
